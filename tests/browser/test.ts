// What the journeys are written with: `test` with a server of its own, and a few words for what all of them do.
import {
  test as base,
  expect,
  type Browser,
  type BrowserContext,
  type Page,
} from "@playwright/test";
import axeCore from "axe-core";
import { join } from "node:path";
import { Hearback, here, person, type Person } from "./server.ts";

export { expect, Hearback, here, person, type Page, type Person };

/** What went wrong in scripts of pages, uncaught. */
let uncaught: string[] = [];

/** Has a test fail for what goes wrong in scripts, too. */
function heed(context: BrowserContext): void {
  context.on("weberror", (wrong) => uncaught.push(wrong.error().stack ?? String(wrong.error())));
}

/** `hearback` is one server for all tests of a worker: name people differently in each. `fresh` is one that nobody has set up. */
export const test = base.extend<{ fresh: Hearback }, { hearback: Hearback }>({
  hearback: [
    async ({}, use, worker) => {
      const server = await Hearback.start(`worker-${worker.parallelIndex}`);
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  fresh: async ({}, use) => {
    const server = await Hearback.start("fresh");
    await use(server);
    await server.stop();
  },
  baseURL: async ({ hearback }, use) => use(hearback.url),
  context: async ({ context }, use) => {
    uncaught = [];
    heed(context);
    await use(context);
    expect(uncaught).toEqual([]);
  },
});

/** The path of a file of tests/fixtures. */
export const fixture = (name: string): string => join(here, "../fixtures", name);

/** Signs in through the form, as someone who was nobody before. Ends on the page that follows. */
export async function signIn(page: Page, who: Person, at = "/session"): Promise<void> {
  await page.context().clearCookies();
  await page.goto(at);
  await page.locator("input[name=email]").fill(who.email);
  await page.locator("input[name=password]").fill(who.password);
  await page.locator("input[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/session");
}

/** A page of someone signed in, in a browser of their own. */
export async function someone(browser: Browser, server: Hearback, who: Person): Promise<Page> {
  const context = await browser.newContext({
    baseURL: server.url,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  heed(context);
  const page = await context.newPage();
  await signIn(page, who);
  return page;
}

/** Makes the first account through the set-up link. Ends on the page that follows. */
export async function setUp(page: Page, server: Hearback, who: Person): Promise<void> {
  await page.goto(server.setUpLink);
  await page.locator("input[name=name]").fill(who.name);
  await page.locator("input[name=email]").fill(who.email);
  await page.locator("input[name=password]").fill(who.password);
  await page.locator("input[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/setup");
}

const schemes = ["light", "dark"] as const;

/** Pictures of the page, and nothing for axe to say. */
export async function look(page: Page, name: string): Promise<void> {
  await pictures(page, name);
  await axe(page);
}

/**
 * With HEARBACK_PICTURES set, writes pictures/NAME-WIDTH-SCHEME.png of the whole page at the widths of a phone, a laptop and a wide screen,
 * light and dark. No test looks at them, and they take a third of the time of the tests that make them.
 */
export async function pictures(page: Page, name: string): Promise<void> {
  if (!process.env["HEARBACK_PICTURES"]) return;
  const before = page.viewportSize();
  for (const width of [380, 1280, 1800]) {
    await page.setViewportSize({ width, height: width === 380 ? 760 : 900 });
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await settled(page);
      const path = join(here, "pictures", `${name}-${width}-${colorScheme}.png`);
      // The editor of marks is the window: what lies under it would show beneath it.
      const fullPage = (await page.locator("dialog.markup").count()) === 0;
      await page.screenshot({ path, fullPage, animations: "disabled" });
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (before) await page.setViewportSize(before);
}

/** Fonts and the pictures that are wanted now are there, and no colour is still changing, which it would for ever on a page that is not in front. Not "no network": a page that listens for events is never idle. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    const wanted = [...document.images].filter((image) => image.loading !== "lazy");
    await Promise.all(wanted.map((image) => image.decode().catch(() => {})));
  });
}

/** Asserts that axe finds nothing to say about the page, by day and by night. */
export async function axe(page: Page): Promise<void> {
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await settled(page);
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeCore.source);
    const findings = await page.evaluate(async () => {
      const { violations } = await (window as unknown as { axe: typeof axeCore }).axe.run();
      return violations.map(({ id, help, nodes }) => ({
        id,
        help,
        at: nodes.map((node) => `${node.html} ${node.failureSummary ?? ""}`),
      }));
    });
    expect(findings, `axe, ${colorScheme}, ${page.url()}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
