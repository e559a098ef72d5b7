// The inbox: undo notices, rows that are links, and the layout of the rows.
import type { Browser, Page } from "@playwright/test";
import { entry, rows } from "./loop.ts";
import { publishUpdate } from "./scene.ts";
import { checkPage, expect, openSignedInPage, test, type Hearback, type Person } from "./test.ts";

/** Publishes updates that ask the reader for Got it. Returns their paths. */
async function sendRequests(
  browser: Browser,
  hearback: Hearback,
  author: Person,
  reader: Person,
  titles: string[],
): Promise<string[]> {
  const page = await openSignedInPage(browser, hearback, author);
  const paths: string[] = [];
  for (const title of titles)
    paths.push(
      await publishUpdate(page, "acknowledge", title, [reader], {
        notes: `What ${title} is about, in one sentence.`,
        due: { working_days: 1 },
      }),
    );
  return paths;
}

const toast = (page: Page) => page.locator(".undo-notice");

test("snoozing, muting and answering in the inbox can be undone", async ({ browser, hearback }) => {
  const [ines, ivo] = await hearback.addPeople("Ines Inbox", "Ivo Inbox");
  const titles = ["The first plan", "The second plan"];
  const [first] = await sendRequests(browser, hearback, ines!, ivo!, titles);
  const page = await openSignedInPage(browser, hearback, ivo!);
  await page.goto(first!);
  await page.goto("/inbox");
  const listed = rows(page, "To answer").locator(".title");
  await expect(listed).toHaveText(titles);
  await expect(entry(page, titles[0]!)).toContainText("What The first plan is about");

  await page.keyboard.press("j");
  await page.keyboard.press("s");
  await page.keyboard.press("Enter");
  await expect(toast(page)).toContainText(/^Snoozed until \w{3} 09:00\./);
  await expect(listed).toHaveText([titles[1]!]);
  await checkPage(page, "inbox-undo");
  await toast(page).getByRole("button", { name: "Undo" }).click();
  await expect(listed).toHaveText(titles);
  await expect(entry(page, titles[0]!)).toBeFocused();

  await entry(page, titles[0]!).getByRole("button", { name: "Got it" }).click();
  await expect(toast(page)).toContainText("You marked it Got it.");
  await expect(listed).toHaveText([titles[1]!]);
  await page.keyboard.press("u");
  await expect(listed).toHaveText(titles);

  await entry(page, titles[1]!).locator("[data-later]").click();
  await entry(page, titles[1]!).getByRole("button", { name: "Mute this update" }).click();
  await expect(toast(page)).toContainText("Muted.");
  await toast(page).getByRole("button", { name: "Undo" }).click();
  await expect(toast(page)).toHaveCount(0);
  await page.goto(first!);
  await page.goto("/inbox");
  await expect(listed).toHaveText(titles);
});

test("a whole row is a link, and reading from the inbox keeps Inbox lit", async ({
  browser,
  hearback,
}) => {
  const [olga, oren] = await hearback.addPeople("Olga Row", "Oren Row");
  await sendRequests(browser, hearback, olga!, oren!, ["A row to press"]);
  const page = await openSignedInPage(browser, hearback, oren!);
  const current = page.locator(".rail a[aria-current]");
  await page.goto("/inbox");
  const row = entry(page, "A row to press");
  const box = (await row.boundingBox())!;
  // The highlight of the hovered row reaches into the margin.
  const highlight = () =>
    row.locator(".title a").evaluate((link) => getComputedStyle(link, "::after").backgroundColor);
  const plain = await highlight();
  await page.mouse.move(box.x - 6, box.y + box.height / 2);
  expect(await highlight()).not.toBe(plain);
  await page.mouse.click(box.x - 6, box.y + box.height / 2);
  await expect(page.getByRole("heading", { level: 1, name: "A row to press" })).toBeVisible();
  await expect(current).toHaveText(/^Inbox/);
  await page.reload();
  await expect(current).toHaveText(/^Inbox/);
  await page.goto("/updates");
  await page.getByRole("link", { name: "A row to press", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "A row to press" })).toBeVisible();
  await expect(current).toHaveText("Library");
});

test("on a phone, five rows fit, the progress never wraps, and every control is large enough", async ({
  browser,
  hearback,
}) => {
  const [pola, pete] = await hearback.addPeople("Pola Phone", "Pete Phone");
  const titles = [1, 2, 3, 4, 5].map(
    (number) => `A plan with a fairly long title, number ${number}`,
  );
  await sendRequests(browser, hearback, pola!, pete!, titles);
  const context = await browser.newContext({
    baseURL: hearback.url,
    viewport: { width: 380, height: 780 },
    hasTouch: true,
    isMobile: true,
    storageState: await (await openSignedInPage(browser, hearback, pete!)).context().storageState(),
  });
  const page = await context.newPage();
  await page.goto("/inbox");
  await expect(rows(page, "To answer")).toHaveCount(5);
  for (const path of ["/inbox", "/updates"]) {
    await page.goto(path);
    const bar = (await page.locator(".rail").boundingBox())!.y;
    const boxes = await page
      .locator(".update-row")
      .evaluateAll((all) => all.map((row) => row.getBoundingClientRect().bottom));
    expect(boxes.filter((bottom) => bottom <= bar).length, path).toBeGreaterThanOrEqual(5);
    const wraps = await page
      .locator(".progress")
      .evaluateAll((all) => all.filter((progress) => progress.getBoundingClientRect().height > 24));
    expect(wraps).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(380);
    expect(await smallControls(page), path).toEqual([]);
    await expect(page.locator("kbd:visible")).toHaveCount(0);
  }
  await checkPage(page, "inbox-phone");
});

/** The visible controls that are lower or narrower than 44 pixels. */
function smallControls(page: Page): Promise<string[]> {
  return page.locator("a, button, summary, input, select").evaluateAll((all) =>
    all
      .filter(
        (control) =>
          control.checkVisibility() && !control.matches(".title a, .skip, .search-line > button"),
      )
      .filter((control) => {
        const { width, height } = control.getBoundingClientRect();
        return width < 44 || height < 44;
      })
      .map((control) => control.outerHTML.slice(0, 120)),
  );
}
