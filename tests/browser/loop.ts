// Helpers for the tests in loop*.spec.ts: people in four time zones, a function that sends an update, and checks of the
// inbox and of the receipts page. The server and all browsers share one clock, which stands still until a test moves
// it.
import type { Locator, Page } from "@playwright/test";
import { type Place } from "./scene.ts";
import { expect, fixture, Hearback, test as base } from "./test.ts";

/** 15:00 in Berlin and Warsaw, 06:00 in San Francisco, and 03:00 on Friday in Auckland. */
const thursday = "2026-11-19T14:00:00Z";

export const nadia: Place = ["Nadia Berg", "Europe/Berlin", "de-DE"];
export const kim: Place = ["Kim Tane", "Pacific/Auckland", "en-NZ"];
export const zofia: Place = ["Zofia Nowak", "Europe/Warsaw", "pl-PL"];
export const leo: Place = ["Leo Park", "America/Los_Angeles", "en-US"];

/** `frozenServer` is a server for one test. Its clock stands still on a Thursday until the test moves it. */
export const test = base.extend<{ frozenServer: Hearback }>({
  frozenServer: async ({}, use) => {
    const server = await Hearback.start("loop", {}, thursday);
    await use(server);
    await server.stop();
  },
});

interface UpdateFields {
  title: string;
  notes?: string;
  file?: string;
  to: string[];
  back: "Nothing" | "Got it" | "In their own words";
  /** The due time: `within` counts the recipients' working days, and `by` is a time in the author's time zone. */
  within?: number;
  by?: string;
  otherwise?: string;
}

/** Writes and sends an update. Returns its path once the page shows the sent update. */
export async function send(
  page: Page,
  { title, notes, file, to, back, within, by, otherwise }: UpdateFields,
): Promise<string> {
  await page.getByRole("link", { name: "New", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New update" })).toBeVisible();
  if (file !== undefined) {
    await page.locator("input[type=file]").first().setInputFiles(fixture(file));
    await expect(page.locator(".media-item[data-media]")).toHaveCount(1);
  }
  await page.getByLabel("Title").fill(title);
  if (notes !== undefined) await page.getByLabel("Notes").fill(notes);
  const audience = page.getByRole("combobox", { name: "Who is this for?" });
  for (let chips = await page.locator(".person-chip").count(); chips > 0; chips--)
    await audience.press("Backspace");
  for (const name of to) {
    await audience.pressSequentially(name.split(" ")[0]!);
    await page.getByRole("option", { name }).click();
  }
  await page.getByRole("radio", { name: back, exact: true }).check();
  if (within !== undefined)
    await page.getByRole("spinbutton", { name: "Working days" }).fill(String(within));
  if (by !== undefined) await page.getByLabel("Date and time", { exact: true }).fill(by);
  if (otherwise !== undefined) {
    const field = page.getByLabel("If I don’t hear back, I’ll …");
    if (!(await field.isVisible())) await page.getByText("Details", { exact: true }).click();
    await field.fill(otherwise);
  }
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.locator("undo-field")).toContainText(
    `Sent to ${to.length} ${to.length === 1 ? "person" : "people"}`,
  );
  return new URL(page.url()).pathname;
}

/** The rows of a section of the inbox. */
export const rows = (page: Page, section: "To answer" | "New for you" | "Waiting on others") =>
  page.getByRole("region", { name: section }).locator(".entry");

/** The row of an update in any section of the inbox. */
export const entry = (page: Page, title: string) =>
  page.locator(".entry", { has: page.getByRole("link", { name: title, exact: true }) });

/**
 * Opens the inbox. Expects the row of the update in the section "To answer" to show exactly these
 * requests, such as "Got it by Fri 17:00".
 */
export async function expectAsk(page: Page, title: string, ...words: string[]): Promise<void> {
  await page.goto("/inbox");
  await expect(rows(page, "To answer").and(entry(page, title)).locator(".ask")).toHaveText(words);
}

/** The row of a person on the receipts page. */
export const receipt = (page: Page, name: string) =>
  page.locator(".receipt", { has: page.locator(".name", { hasText: name }) });

/**
 * Opens the receipts page unless it is already open. Expects the page to have this heading, and
 * each of its sections to list these names in this order.
 */
export async function expectReceipts(
  page: Page,
  update: string,
  sentence: string,
  parts: { onMe?: string[]; objections?: string[]; onThem?: string[]; heard?: string[] },
): Promise<void> {
  if (new URL(page.url()).pathname !== `${update}/receipts`) await page.goto(`${update}/receipts`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(sentence);
  const names = (within: Locator) => within.locator(".to-hear strong, .rows .title a, .name");
  await expect(names(page.getByRole("region", { name: "Waiting on you" }))).toHaveText(
    parts.onMe ?? [],
  );
  await expect(names(page.getByRole("region", { name: "Objections" }))).toHaveText(
    parts.objections ?? [],
  );
  await expect(names(page.getByRole("region", { name: "Waiting on them" }))).toHaveText(
    parts.onThem ?? [],
  );
  await expect(names(page.locator("#heard"))).toHaveText(parts.heard ?? []);
}
