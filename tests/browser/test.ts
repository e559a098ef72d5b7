// The `test` function with its fixtures, and helpers that many tests use.
import {
  test as base,
  expect,
  type Browser,
  type BrowserContext,
  type Page,
} from "@playwright/test";
import type axeCore from "axe-core";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Hearback, here, person, type Person } from "./server.ts";

export { expect, Hearback, here, person, type Page, type Person };

/** The uncaught errors of the scripts of all pages. If there are any, the test fails. */
let uncaughtErrors: string[] = [];

function collectErrors(context: BrowserContext): BrowserContext {
  return context.on("weberror", (event) =>
    // The stack of an error that the browser itself rejects with is empty.
    uncaughtErrors.push(event.error().stack || String(event.error())),
  );
}

/**
 * `hearback` is one server for all tests that a worker runs, so each test must add people whose names no other test
 * uses. `freshServer` is a new server without accounts, for one test.
 */
export const test = base.extend<
  { freshServer: Hearback; checkContexts: void },
  { hearback: Hearback; browser: Browser }
>({
  browser: [
    async ({ browser }, use) => {
      const newContext = browser.newContext.bind(browser);
      browser.newContext = async (options) => collectErrors(await newContext(options));
      await use(browser);
    },
    { scope: "worker" },
  ],
  hearback: [
    async ({}, use, worker) => {
      const server = await Hearback.start(`worker-${worker.parallelIndex}`);
      await use(server);
      await server.stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  freshServer: async ({}, use) => {
    const server = await Hearback.start("fresh");
    await use(server);
    await server.stop();
  },
  baseURL: async ({ hearback }, use) => use(hearback.url),
  // The browser lives as long as its worker. Pages that earlier tests left open would slow down
  // later tests.
  checkContexts: [
    async ({ browser }, use) => {
      uncaughtErrors = [];
      await use();
      await Promise.all(browser.contexts().map((context) => context.close()));
      expect(uncaughtErrors).toEqual([]);
    },
    { auto: true },
  ],
});

/** The path of a file in tests/fixtures. */
export const fixture = (name: string): string => join(here, "../fixtures", name);

/**
 * Clears the session and signs in through the form. `path` may be any page that redirects to the form. Returns once
 * the form has redirected to another page.
 */
export async function signIn(page: Page, account: Person, path = "/session"): Promise<void> {
  await page.context().clearCookies();
  await page.goto(path);
  await page.locator("input[name=email]").fill(account.email);
  await page.locator("input[name=password]").fill(account.password);
  await page.locator("input[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/session");
}

/** Opens a page in a new browser context and signs in there. */
export async function openSignedInPage(
  browser: Browser,
  server: Hearback,
  account: Person,
): Promise<Page> {
  const context = await browser.newContext({
    baseURL: server.url,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = await context.newPage();
  await signIn(page, account);
  return page;
}

/** Creates the first account through the setup link. Returns once the form has redirected to another page. */
export async function createFirstAccount(
  page: Page,
  server: Hearback,
  account: Person,
): Promise<void> {
  await page.goto(server.setUpLink);
  await page.locator("input[name=name]").fill(account.name);
  await page.locator("input[name=email]").fill(account.email);
  await page.locator("input[name=password]").fill(account.password);
  await page.locator("input[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/setup");
}

const schemes = ["light", "dark"] as const;
const colorRules = ["color-contrast", "link-in-text-block"];
const axeSource = readFileSync(join(here, "node_modules/axe-core/axe.min.js"), "utf8");

/** Saves screenshots of the page (see `saveScreenshots`) and checks its accessibility. */
export async function checkPage(page: Page, name: string): Promise<void> {
  await saveScreenshots(page, name);
  await axe(page);
}

/**
 * With HEARBACK_PICTURES set, saves pictures/NAME-WIDTH-SCHEME.png of the whole page at the widths of a phone, a laptop
 * and a wide screen, in light and dark mode. The pictures are for people to look at: no test compares them. Without the
 * setting, this function does nothing, which makes the whole test run a third faster.
 */
export async function saveScreenshots(page: Page, name: string): Promise<void> {
  if (!process.env["HEARBACK_PICTURES"]) return;
  const originalSize = page.viewportSize();
  for (const width of [380, 1280, 1800]) {
    await page.setViewportSize({ width, height: width === 380 ? 760 : 900 });
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await waitForRendering(page);
      const path = join(here, "pictures", `${name}-${width}-${colorScheme}.png`);
      // The markup editor covers only the window, so a full-page screenshot would show the page below it.
      const fullPage = (await page.locator("dialog.markup").count()) === 0;
      await page.screenshot({ path, fullPage, animations: "disabled" });
    }
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  if (originalSize) await page.setViewportSize(originalSize);
}

/**
 * Waits for fonts and images. Finishes animations, because they never end on a page in the background. Does not wait
 * for the network, because the network of a page with an event stream is never idle.
 */
async function waitForRendering(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    const images = [...document.images].filter((image) => image.loading !== "lazy");
    await Promise.all(images.map((image) => image.decode().catch(() => {})));
  });
}

/**
 * Expects no accessibility violations. In dark mode, only the color rules run, because the other rules do not depend on
 * the color scheme.
 */
export async function axe(page: Page): Promise<void> {
  // While Turbo loads a page, it marks the document as busy with an attribute that axe does not allow there.
  await expect(page.locator("html[aria-busy]")).toHaveCount(0);
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await waitForRendering(page);
    if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
    const options: axeCore.RunOptions = { resultTypes: ["violations"] };
    if (colorScheme === "dark") options.runOnly = { type: "rule", values: colorRules };
    const violations = await page.evaluate(async (options) => {
      const { axe } = window as unknown as { axe: typeof axeCore };
      const { violations } = await axe.run(options);
      return violations.map(({ id, help, nodes }) => ({
        id,
        help,
        at: nodes.map((node) => `${node.html} ${node.failureSummary ?? ""}`),
      }));
    }, options);
    expect(violations, `axe, ${colorScheme}, ${page.url()}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
