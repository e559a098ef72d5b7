// What people need who use a keyboard, a screen reader, more contrast, forced colors or less motion. docs/ACCESSIBILITY.md
// describes it.
import { readFileSync } from "node:fs";
import type { Browser } from "@playwright/test";
import { paintImage, pngFile, postUpdate } from "./markup.ts";
import { apiHeaders, publishUpdate } from "./scene.ts";
import { axe, expect, fixture, openSignedInPage, test, type Page, type Person } from "./test.ts";
import type { Hearback } from "./server.ts";

const video = () => ({
  name: "rota.webm",
  mimeType: "video/webm",
  buffer: readFileSync(fixture("rec-vp9-opus-10s.webm")),
});

/** Sends an update with a video and two comments. Returns a page of its author and one of its recipient. */
async function openVideo(
  browser: Browser,
  server: Hearback,
  [ada, bob]: Person[],
): Promise<{ author: Page; reader: Page; path: string }> {
  const author = await openSignedInPage(browser, server, ada!);
  const { id } = await postUpdate(
    author,
    { title: "The new rota", audience: bob!.email, expectation: "readback" },
    video(),
  );
  const path = `/updates/${id}`;
  for (const at_ms of [1_000, 4_000])
    await author.request.post(`${path}/comments`, {
      headers: apiHeaders,
      data: { body: "A remark", at_ms },
    });
  const reader = await openSignedInPage(browser, server, bob!);
  await reader.setViewportSize({ width: 1280, height: 800 });
  await reader.goto(path);
  await expect(reader.locator("video")).toHaveJSProperty("readyState", 4);
  return { author, reader, path };
}

/** Presses a key, and expects screen readers to announce this. */
async function expectHeard(page: Page, key: string, text: string | RegExp): Promise<void> {
  const region = page.locator("#announcements");
  await region.evaluate((element) => (element.textContent = ""));
  await page.keyboard.press(key);
  await expect(region, key).toHaveText(text);
}

test("after a visit within the site, the heading is announced, and nothing that the page does not show", async ({
  browser,
  hearback,
}) => {
  const people = await hearback.addPeople("Ada Heading", "Bob Heading");
  const { author } = await openVideo(browser, hearback, people);
  await author.goto("/updates");
  await author.getByRole("link", { name: "The new rota", exact: true }).click();
  await expect(author.getByRole("heading", { level: 1, name: "The new rota" })).toBeVisible();
  await expect(author.locator("#announcements")).toHaveText("The new rota.");
});

test("with the keyboard, the player is one tab stop with keys of its own", async ({
  browser,
  hearback,
}) => {
  const people = await hearback.addPeople("Ada Player", "Bob Player");
  const { reader } = await openVideo(browser, hearback, people);
  const film = reader.getByRole("group", { name: "Player: rota.webm" });
  const player = reader.locator("video");
  await film.focus();
  await reader.keyboard.press("Tab");
  await expect(reader.locator(".timeline button").first()).toBeFocused();
  await reader.keyboard.press("Shift+Tab");
  await expect(film).toBeFocused();
  await reader.keyboard.press("Shift+Tab");
  expect(await film.evaluate((element) => element.contains(document.activeElement))).toBe(false);

  // Its keys work even if single-key shortcuts are off.
  await reader.evaluate(() => localStorage.setItem("keys", "off"));
  await film.focus();
  await expectHeard(reader, "ArrowRight", "0:05");
  await expectHeard(reader, "Shift+ArrowLeft", "0:04");
  await expectHeard(reader, "ArrowDown", "Volume 90 percent.");
  await expectHeard(reader, "ArrowUp", "Volume 100 percent.");
  await expectHeard(reader, "Shift+>", "Speed 1.25.");
  await expectHeard(reader, "Shift+<", "Speed 1.");
  await expectHeard(reader, "Space", "Playing.");
  await expectHeard(reader, "Space", /^Paused at 0:0\d\.$/);
  expect(await player.evaluate((element: HTMLVideoElement) => element.paused)).toBe(true);
  await axe(reader);
});

test("each shortcut on the page of an update is announced", async ({ browser, hearback }) => {
  const people = await hearback.addPeople("Ada Aloud", "Bob Aloud");
  const { reader } = await openVideo(browser, hearback, people);
  const leave = () => reader.evaluate(() => (document.activeElement as HTMLElement).blur());
  await expectHeard(reader, "l", "0:09");
  await expectHeard(reader, "j", "0:00");
  await expectHeard(reader, "ArrowRight", "0:05");
  await expectHeard(reader, "ArrowLeft", "0:00");
  await expectHeard(reader, "Shift+ArrowRight", "0:01");
  await expectHeard(reader, "k", "Playing.");
  await expectHeard(reader, "k", /^Paused at 0:0\d\.$/);
  // Playback that is paused before it begins is no error.
  for (let press = 0; press < 6; press++) await reader.keyboard.press("k");
  await expectHeard(reader, "z", "Focus mode on. Press z to leave it.");
  await expectHeard(reader, "z", "Focus mode off.");
  await expectHeard(reader, "n", "Comment 1 of 2");
  await expect(reader.getByRole("article", { name: "Ada Aloud" }).first()).toBeFocused();
  await expectHeard(reader, "n", "Comment 2 of 2");
  await expectHeard(reader, "n", "Last comment.");
  await expectHeard(reader, "p", "Comment 1 of 2");
  await expectHeard(reader, "p", "First comment.");
  await expectHeard(reader, "c", /^Comment at 0:0\d$/);
  await expect(reader.getByRole("textbox", { name: "Comment" })).toBeFocused();
  await leave();
  await expectHeard(reader, "q", /^Question at 0:0\d$/);
  await leave();
  // These keys move the focus to a field or a dialog, which screen readers read.
  await reader.keyboard.press("a");
  await expect(
    reader.getByRole("textbox", { name: "What will you do, and by when?" }),
  ).toBeFocused();
  await leave();
  await reader.keyboard.press("?");
  await expect(reader.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await reader.keyboard.press("Escape");
  await expectHeard(reader, "i", /The new rota|Inbox/);
});

test("each shortcut on a picture is announced", async ({ browser, hearback }) => {
  const [ada, bob] = await hearback.addPeople("Ada Picture", "Bob Picture");
  const author = await openSignedInPage(browser, hearback, ada!);
  const picture = async () => ({
    ...pngFile,
    buffer: await paintImage(author, 600, 400, "#ffffff"),
  });
  const { id } = await postUpdate(
    author,
    { title: "Two pictures", audience: bob!.email },
    await picture(),
    await picture(),
  );
  const page = await openSignedInPage(browser, hearback, bob!);
  await page.goto(`/updates/${id}`);
  await expectHeard(page, "ArrowRight", "2 of 2: screen.png");
  await expectHeard(page, "ArrowLeft", "1 of 2: screen.png");
  await page.locator(".viewport:visible").focus();
  await expectHeard(page, "+", /^\d+ percent$/);
  await expectHeard(page, "-", /^\d+ percent$/);
  await expectHeard(page, "0", /^\d+ percent$/);
  await expectHeard(page, "c", "Comment on the middle of the picture");
  await page.locator(".viewport:visible").focus();
  await expectHeard(page, "ArrowRight", "Pin 51 percent from the left, 50 percent from the top");
});

test("each shortcut in the inbox and in the review of answers is announced", async ({
  browser,
  hearback,
}) => {
  const [ada, bob, cyd] = await hearback.addPeople("Ada Row", "Bob Row", "Cyd Row");
  const author = await openSignedInPage(browser, hearback, ada!);
  const page = await openSignedInPage(browser, hearback, bob!);
  for (const title of ["First", "Second"])
    await publishUpdate(author, "acknowledge", title, [bob!]);
  await page.goto("/inbox");
  await expectHeard(page, "j", "1 of 2");
  await expect(page.getByRole("listitem", { name: "First" })).toBeFocused();
  await expectHeard(page, "j", "2 of 2");
  await expectHeard(page, "k", "1 of 2");
  await expectHeard(page, "s", "Snooze until when?");
  await expectHeard(page, "Enter", /^Snoozed until .* You can undo it for ten seconds\.$/);
  await expectHeard(page, "u", "Undone.");
  await page.keyboard.press("j");
  await expectHeard(page, "Enter", /^(First|Second)\.?$/);
  await page.goto("/inbox");
  await expectHeard(page, "i", /^(First|Second)\.?$/);

  const path = await publishUpdate(author, "readback", "In your words", [bob!, cyd!]);
  for (const reader of [page, await openSignedInPage(browser, hearback, cyd!)]) {
    const url = `${path}/acknowledgement`;
    const data = { readback: "I begin at ten." };
    expect((await reader.request.put(url, { headers: apiHeaders, data })).status()).toBe(200);
  }
  await author.goto(`${path}/receipts`);
  await expect(author.locator(".to-hear").first()).toBeFocused();
  await expectHeard(author, "j", "2 of 2");
  await expectHeard(author, "k", "1 of 2");
  await expectHeard(author, "y", /^You confirmed what .* said back\..*ten seconds\.$/);
  await expectHeard(author, "u", /^Undone\./);
  await author.locator(".to-hear").first().focus();
  await author.keyboard.press("n");
  await expect(author.getByRole("textbox", { name: "What’s not quite right?" })).toBeFocused();
});

test("with forced colors, what is selected, filled and measured stays visible", async ({
  browser,
  hearback,
}) => {
  const people = await hearback.addPeople("Ada Forced", "Bob Forced");
  const { reader, path } = await openVideo(browser, hearback, people);
  await reader.emulateMedia({ forcedColors: "active", colorScheme: "dark" });
  const style = (selector: string, property: string, pseudo?: string) =>
    reader
      .locator(selector)
      .first()
      .evaluate(
        (element, [property, pseudo]) =>
          getComputedStyle(element, pseudo).getPropertyValue(property!),
        [property, pseudo],
      );
  const canvas = await style("html", "background-color");
  // The arc, the timeline with its dots and the filled button differ from their background.
  expect(await style(".arc-out", "stroke")).not.toBe(await style(".arc-back", "stroke"));
  expect(await style(".timeline", "background-color", "::before")).not.toBe(canvas);
  expect(await style(".timeline button", "background-color", "::before")).not.toBe(canvas);
  expect(await style(".button.main", "background-color")).not.toBe(canvas);
  expect(await style(".button.main", "color")).toBe(canvas);
  await reader.locator(".film").focus();
  expect(await style(".film", "outline-style")).toBe("solid");
  expect(await style(".film", "outline-width")).toBe("3px");

  await reader.goto("/updates/new");
  expect(await style(".choices label:has(:checked)", "outline-style")).toBe("solid");
  expect(await style(".rail [aria-current]", "outline-style")).toBe("solid");
  await reader.emulateMedia({ forcedColors: null, contrast: "more", colorScheme: null });
  await reader.goto(path);
  expect(await style(".update-head .meta", "color")).toBe(await style("body", "color"));
  await axe(reader);
});

test("with reduced motion, nothing is animated", async ({ browser, hearback }) => {
  const people = await hearback.addPeople("Ada Still", "Bob Still");
  const { reader, path } = await openVideo(browser, hearback, people);
  await reader.emulateMedia({ reducedMotion: "reduce" });
  for (const address of [path, "/inbox", "/updates/new", "/me"]) {
    await reader.goto(address);
    const moving = await reader.evaluate(() => {
      const seconds = (list: string) => list.split(",").map((part) => parseFloat(part));
      return [...document.querySelectorAll("*")]
        .filter((element) => {
          const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(element);
          return (
            animationName !== "none" ||
            seconds(transitionDuration).some((duration) => duration > 0) ||
            scrollBehavior === "smooth"
          );
        })
        .map((element) => element.outerHTML.slice(0, 80));
    });
    expect(moving, address).toEqual([]);
  }
});
