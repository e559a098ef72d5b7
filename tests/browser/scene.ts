// People in several time zones, whose browsers share one clock with the server. The clock stands
// still until `setTime` moves it.
import { expect, type Browser, type Page } from "@playwright/test";
import { Hearback, person, signIn, type Person } from "./test.ts";

/** A person's name, IANA time zone and browser language. */
export type Place = readonly [name: string, zone: string, locale: string];

/** Headers of the API requests with which tests prepare and check data. */
export const apiHeaders = { accept: "application/json", "sec-fetch-site": "same-origin" };

export class Scene {
  private constructor(
    private readonly server: Hearback,
    /** The people and their pages are in the same order as the places. */
    readonly people: Person[],
    readonly pages: Page[],
  ) {}

  /**
   * For each place, adds an account and signs in to it in a new browser context with the place's time zone and
   * language.
   */
  static async create(
    browser: Browser,
    server: Hearback,
    places: readonly Place[],
  ): Promise<Scene> {
    const people = await server.addPeople(...places.map(([name]) => person(name)));
    const open = async (account: Person, [, timezoneId, locale]: Place) => {
      const context = await browser.newContext({
        baseURL: server.url,
        timezoneId,
        locale,
        permissions: ["clipboard-read", "clipboard-write"],
      });
      const page = await context.newPage();
      await page.clock.setFixedTime(server.clock.now);
      await signIn(page, account);
      const response = await page.request.patch("/me", {
        headers: apiHeaders,
        data: { time_zone: timezoneId },
      });
      expect(response.ok(), await response.text()).toBe(true);
      return page;
    };
    const pages: Page[] = [];
    for (const [index, place] of places.entries()) pages.push(await open(people[index]!, place));
    return new Scene(server, people, pages);
  }

  /** Sets the time of the server and of all browsers. Open pages show the new time after they are reloaded. */
  async setTime(time: string): Promise<void> {
    await this.server.clock.moveTo(time);
    for (const page of this.pages) await page.clock.setFixedTime(this.server.clock.now);
  }
}

/** Publishes an update with this expectation for these people. `more` are further fields. Returns its path. */
export async function publishUpdate(
  author: Page,
  expectation: string,
  title: string,
  audience: Person[],
  more: object = {},
): Promise<string> {
  const made = await author.request.post("/updates", {
    headers: apiHeaders,
    data: {
      title,
      audience: audience.map(({ email }) => email),
      expectation,
      publish: true,
      ...more,
    },
  });
  expect(made.status(), await made.text()).toBe(201);
  return `/updates/${((await made.json()) as { id: string }).id}`;
}
