// People in several places of the world and the one clock that they share: it stands still, and only `at` moves it.
import { expect, type Browser, type Page } from "@playwright/test";
import { Hearback, person, signIn, type Person } from "./test.ts";

/** Where someone lives: their name, the IANA zone, and the language of their browser. */
export type Place = readonly [name: string, zone: string, locale: string];

/** For setting the stage only: what a test is about is done on the pages. */
export const asProgram = { accept: "application/json", "sec-fetch-site": "same-origin" };

export class Scene {
  private constructor(
    private readonly server: Hearback,
    /** In the order of the places. */
    readonly people: Person[],
    readonly pages: Page[],
  ) {}

  /** Adds an account for each, with their zone, and signs each in, in a browser of their own that stands where they live. */
  static async begin(browser: Browser, server: Hearback, places: readonly Place[]): Promise<Scene> {
    const people = await server.people(...places.map(([name]) => person(name)));
    const open = async (who: Person, [, timezoneId, locale]: Place) => {
      const context = await browser.newContext({
        baseURL: server.url,
        timezoneId,
        locale,
        permissions: ["clipboard-read", "clipboard-write"],
      });
      const page = await context.newPage();
      await page.clock.setFixedTime(server.clock.now);
      await signIn(page, who);
      const settled = await page.request.patch("/me", {
        headers: asProgram,
        data: { time_zone: timezoneId },
      });
      expect(settled.ok(), await settled.text()).toBe(true);
      return page;
    };
    const pages: Page[] = [];
    for (const [index, place] of places.entries()) pages.push(await open(people[index]!, place));
    return new Scene(server, people, pages);
  }

  /** It is then, for the server and for all browsers. Pages that are open show it once they are looked at again. */
  async at(time: string): Promise<void> {
    await this.server.clock.moveTo(time);
    for (const page of this.pages) await page.clock.setFixedTime(this.server.clock.now);
  }
}
