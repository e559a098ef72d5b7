// The page of an update: the answer card, the columns, the header, the difference and the share links. Nothing may
// cover or move the video while somebody answers.
import { readFileSync } from "node:fs";
import type { Browser, Locator, Page } from "@playwright/test";
import { postUpdate } from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import { axe, expect, fixture, openSignedInPage, signIn, test, type Person } from "./test.ts";
import type { Hearback } from "./server.ts";

const video = () => ({
  name: "rec-vp9-opus-10s.webm",
  mimeType: "video/webm",
  buffer: readFileSync(fixture("rec-vp9-opus-10s.webm")),
});
const paragraphs = Array.from({ length: 12 }, (_, n) => `Paragraph ${n + 1} of the notes.`);
const prompt = "What will you do, and by when?";

/** Publishes an update with a video and long notes. Returns its path. */
async function publishVideo(
  author: Page,
  expectation: string,
  audience: Person[],
  fields: Record<string, string> = {},
): Promise<string> {
  const { id } = await postUpdate(
    author,
    {
      title: "The new rota",
      notes: paragraphs.join("\n\n"),
      audience: audience.map(({ email }) => email).join(","),
      expectation,
      ...fields,
    },
    video(),
  );
  return `/updates/${id}`;
}

async function comment(page: Page, path: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const data = { body: `Remark ${n + 1}, long enough for a second line in a narrow column.` };
    const made = await page.request.post(`${path}/comments`, { headers: apiHeaders, data });
    expect(made.status(), await made.text()).toBe(201);
  }
}

const box = async (element: Locator) => (await element.boundingBox())!;

/** Opens a page of a phone: a small touch screen. */
async function openPhone(
  browser: Browser,
  server: Hearback,
  account: Person,
  options: { width?: number; height?: number; javaScriptEnabled?: boolean } = {},
): Promise<Page> {
  const { width = 375, height = 560, ...rest } = options;
  const context = await browser.newContext({
    baseURL: server.url,
    viewport: { width, height },
    hasTouch: true,
    isMobile: true,
    ...rest,
  });
  const page = await context.newPage();
  await signIn(page, account);
  return page;
}

/** Returns how many pixels of the window's height show notes and comments that nothing covers. */
const readableHeight = (page: Page) =>
  page.evaluate(() => {
    const visible = (element: Element) => element.closest("#about, .talk, .answers") !== null;
    let height = 0;
    for (let y = 0; y < innerHeight; y++) {
      const stack = document.elementsFromPoint(innerWidth / 2, y);
      const top = stack[0];
      // Gaps between the parts belong to <main>.
      if (top && (visible(top) || top.matches("main"))) height++;
    }
    return height;
  });

test("in a wide window, answering neither covers nor moves the video", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Card", "Bob Card");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "readback", [bob!]);
  await comment(author, path, 12);
  const page = await openSignedInPage(browser, hearback, bob!);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto(path);
  const [stage, card] = [page.locator("update-stage"), page.locator("#answer-card")];
  await expect(stage).toHaveClass(/ready/);
  await expect(page.locator("video")).toHaveJSProperty("readyState", 4);
  const before = await box(stage);
  const isUnmoved = async () => {
    expect(await box(stage)).toEqual(before);
    expect(await page.evaluate(() => scrollY)).toBe(0);
  };
  const column = await box(card);
  expect(column.y, "the card is at the top").toBeLessThanOrEqual(24);
  expect(column.x).toBeGreaterThanOrEqual(before.x + before.width);
  expect(column.width).toBe(380);
  await expect(page.locator(".answer-line")).toBeHidden();

  await page.keyboard.press("a");
  await expect(page.getByLabel(prompt)).toBeFocused();
  await page.keyboard.type("I begin at 22:00.\n".repeat(8));
  await isUnmoved();
  await page.keyboard.press("Escape");
  await expect(page.getByLabel(prompt)).not.toBeFocused();
  await expect(page.getByLabel(prompt)).toHaveValue(/^I begin at 22:00\./);
  await page.getByText("I heard it, but …").click();
  await expect(page.getByLabel("What’s in the way?")).toBeFocused();
  await isUnmoved();
  await page.locator("#body").focus();
  await isUnmoved();
  await axe(page);

  // Both columns scroll on their own.
  await page.locator(".threads").hover();
  await page.mouse.wheel(0, 200);
  await expect
    .poll(() =>
      page.evaluate(
        () =>
          document.querySelector(".threads")!.scrollTop +
          document.querySelector(".side")!.scrollTop,
      ),
    )
    .toBeGreaterThan(0);
  await isUnmoved();
  await page.locator("#notes").hover();
  // Wait until the browser has finished scrolling, so that it does not scroll on after the jump to the top below.
  const scrolled = page.evaluate(
    () =>
      new Promise<number>((end) =>
        addEventListener("scrollend", () => end(scrollY), { once: true }),
      ),
  );
  await page.mouse.wheel(0, 300);
  expect(await scrolled).toBeGreaterThan(100);
  expect(Math.abs((await box(page.locator(".side"))).y)).toBeLessThanOrEqual(1);
  await page.evaluate(() => scrollTo(0, 0));

  await page.getByRole("button", { name: "Say it back" }).click();
  await expect(card).toContainText("You said it back");
  await expect(card).toBeFocused();
  await isUnmoved();
  await expect(page.locator("#announcements")).toContainText("You can undo it for ten seconds.");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(page.getByLabel(prompt)).toBeVisible();
  await isUnmoved();
});

test("on a phone, a line of 56 px opens the answer card as a sheet below the video", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Sheet", "Bob Sheet");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "readback", [bob!]);
  await comment(author, path, 6);
  const page = await openPhone(browser, hearback, bob!);
  await page.goto(path);
  const [line, card, stage] = [
    page.locator(".answer-line"),
    page.locator("#answer-card"),
    page.locator("update-stage"),
  ];
  await expect(stage).toHaveClass(/ready/);
  await expect(card).toBeHidden();
  const navigation = await box(page.locator(".rail"));
  expect(await box(line)).toEqual({ x: 0, y: navigation.y - 56, width: 375, height: 56 });
  await expect(line).toContainText("Say it back");

  for (const place of ["#notes", "#threads"]) {
    await page.locator(place).evaluate((element) => element.scrollIntoView({ block: "start" }));
    expect(await readableHeight(page), place).toBeGreaterThanOrEqual(0.45 * 560);
  }
  await axe(page);

  const [before, scrolled] = [await box(stage), await page.evaluate(() => scrollY)];
  const media = await box(page.locator("#media"));
  await line.getByRole("button", { name: /^Say it back/ }).tap();
  await expect(page.getByLabel(prompt)).toBeFocused();
  expect((await box(card)).y, "the sheet is below the video").toBeGreaterThanOrEqual(
    Math.floor(media.y + media.height),
  );
  await page.keyboard.type("I begin at 22:00.");
  await page.getByText("I heard it, but …").tap();
  await expect(page.getByLabel("What’s in the way?")).toBeFocused();
  expect(await box(stage)).toEqual(before);
  expect(await page.evaluate(() => scrollY)).toBe(scrolled);
  await axe(page);
  await page.getByRole("button", { name: "Close" }).tap();
  await expect(card).toBeHidden();
  await line.getByRole("button", { name: /^Say it back/ }).tap();
  await expect(page.getByLabel(prompt)).toHaveValue("I begin at 22:00.");
  await card.getByRole("button", { name: "Say it back" }).tap();
  await expect(card).toBeHidden();
  await expect(line).toContainText("You said it back");
  await expect(page.locator(".undo-notice")).toBeVisible();
  expect(await box(stage)).toEqual(before);
});

test("on a phone, an update is opened, played and marked as Got it in three taps", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Taps", "Bob Taps");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "acknowledge", [bob!]);
  const page = await openPhone(browser, hearback, bob!, { width: 380, height: 780 });
  await page.goto("/inbox");
  await page.getByRole("link", { name: "The new rota", exact: true }).tap();
  await expect(page).toHaveURL(new RegExp(path));
  const player = page.locator("video");
  await expect(player).toHaveJSProperty("readyState", 4);
  await player.tap();
  await page.locator(".answer-line").getByRole("button", { name: "Got it", exact: true }).tap();
  await expect(page.locator(".answer-line")).toContainText("You got it");
});

test("at 200 % zoom, nothing covers the controls of the player", async ({ browser, hearback }) => {
  const [ada, bob] = await hearback.addPeople("Ada Zoom", "Bob Zoom");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "readback", [bob!]);
  const page = await openSignedInPage(browser, hearback, bob!);
  // A window of 1280 × 800 at 200 %.
  await page.setViewportSize({ width: 640, height: 400 });
  await page.goto(path);
  const player = page.locator("video");
  await expect(player).toHaveJSProperty("readyState", 4);
  await player.evaluate((element) => element.scrollIntoView({ block: "start" }));
  const isUncovered = await player.evaluate((element) => {
    const frame = element.getBoundingClientRect();
    const points = [0.02, 0.25, 0.5, 0.75, 0.98].flatMap((x) =>
      [0.05, 0.5, 0.95].map((y) => [frame.left + x * frame.width, frame.top + y * frame.height]),
    );
    return points.every(([x, y]) => document.elementFromPoint(x!, y!)?.closest(".film") !== null);
  });
  expect(isUncovered).toBe(true);
  const before = await box(page.locator("update-stage"));
  await page.evaluate(() => scrollTo(0, 0));
  await page.getByRole("button", { name: /^Say it back/ }).click();
  await expect(page.getByLabel(prompt)).toBeFocused();
  expect((await box(page.locator("update-stage"))).height).toBe(before.height);
});

test("without scripts, the sheet opens, and the line and the sheet send answers", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Plain", "Bob Plain");
  const author = await openSignedInPage(browser, hearback, ada!);
  const pressed = await publishVideo(author, "acknowledge", [bob!]);
  const said = await publishVideo(author, "readback", [bob!]);
  const page = await openPhone(browser, hearback, bob!, { javaScriptEnabled: false });
  await page.goto(pressed);
  await page.locator(".answer-line").getByRole("button", { name: "Got it", exact: true }).tap();
  await expect(page.locator(".answer-line")).toContainText("You got it");
  await page.goto(said);
  await page.locator(".answer-open").tap();
  await page.getByLabel(prompt).fill("I begin at 22:00.");
  await page.locator(".answer").getByRole("button", { name: "Say it back" }).tap();
  await expect(page.locator(".answer-line")).toContainText("You said it back");
});

test("the header says how many heard, to the author and to readers, and links to who did", async ({
  browser,
  hearback,
}) => {
  const [ada, bob, cyd] = await hearback.addPeople("Ada Head", "Bob Head", "Cyd Head");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "acknowledge", [bob!, cyd!]);
  const reader = await openSignedInPage(browser, hearback, bob!);
  await reader.goto(path);
  await reader.getByRole("button", { name: "Got it" }).click();
  await expect(reader.locator("#answer-card")).toContainText("You got it");
  for (const page of [reader, author]) {
    await page.goto(path);
    await page.locator("#head").getByRole("link", { name: "1 of 2 heard" }).click();
    await expect(page).toHaveURL(new RegExp(`${path}/receipts$`));
  }
});

test("the author sees objections with their reasons beside the video, without scrolling", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Reason", "Bob Reason");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "acknowledge", [bob!]);
  const reader = await openSignedInPage(browser, hearback, bob!);
  await reader.goto(path);
  await reader.getByText("I heard it, but …").click();
  await reader.getByLabel("What’s in the way?").fill("I am on leave in December.");
  await reader.getByRole("button", { name: "Send objection" }).click();
  await expect(reader.locator("#answer-card")).toContainText("You heard it, but …");
  await author.setViewportSize({ width: 1280, height: 800 });
  await author.goto(path);
  const card = author.getByRole("region", { name: "Waiting on you" });
  await expect(card).toContainText("Bob Reason objects");
  await expect(card.getByText("“I am on leave in December.”")).toBeInViewport({ ratio: 1 });
  await axe(author);
  await card.getByRole("link", { name: "Reply" }).click();
  await expect(author).toHaveURL(/\/receipts#objections$/);
});

test("a reader sees what changed since their own answer as rendered text, not as Markdown", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Differs", "Bob Differs");
  const author = await openSignedInPage(browser, hearback, ada!);
  const { id } = await postUpdate(author, {
    title: "The release",
    notes: "1. Freeze on **Monday**\n2. Translate\n3. Release",
    audience: bob!.email,
    expectation: "readback",
  });
  const path = `/updates/${id}`;
  const reader = await openSignedInPage(browser, hearback, bob!);
  const answer = await reader.request.put(`${path}/acknowledgement`, {
    headers: apiHeaders,
    data: { readback: "I freeze on Monday." },
  });
  expect(answer.status(), await answer.text()).toBe(200);
  const changed = await author.request.patch(path, {
    headers: apiHeaders,
    data: {
      notes: "1. Freeze on **Tuesday**\n2. Release",
      change: "material",
      what_changed: "Tuesday instead of Monday.",
    },
  });
  expect(changed.status(), await changed.text()).toBe(200);

  await reader.goto(path);
  const changes = reader.getByRole("region", { name: "What changed since you answered" });
  await expect(changes.locator("p").first()).toHaveText("What changed: Tuesday instead of Monday.");
  await expect(changes.locator("strong del")).toHaveText("Monday");
  await expect(changes.locator("strong ins")).toHaveText("Tuesday");
  await expect(changes.locator("li[data-gone] del")).toHaveText("Translate");
  await expect(reader.locator("#about")).not.toContainText("**");
  await expect(reader.getByLabel(prompt)).toHaveValue("");
  await expect(reader.locator(".earlier-answer blockquote")).toHaveText("I freeze on Monday.");
  await axe(reader);
  await changes.getByLabel("Show changes").uncheck();
  await expect(changes.locator("li:visible")).toHaveCount(2);
  await expect(changes.locator("del:visible")).toHaveCount(0);
});

test("Share makes a new link in one press, and shows and copies its address", async ({
  browser,
  hearback,
}) => {
  const [ada] = await hearback.addPeople("Ada Shares");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "fyi", []);
  await author.goto(path);
  await author.getByRole("button", { name: "Share" }).click();
  await author.getByRole("button", { name: "New link" }).click();
  const address = author.getByLabel("Address of the new link");
  await expect(address).toHaveValue(/\/s\//);
  await expect
    .poll(() => author.evaluate(() => navigator.clipboard.readText()))
    .toBe(await address.inputValue());
  await expect(author.locator("#links .row")).toHaveCount(1);
  await axe(author);
});

test("on a touch screen, buttons are at least 44 px high, and no key hints are shown", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Finger", "Bob Finger");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "readback", [bob!]);
  await comment(author, path, 2);
  const answered = await openSignedInPage(browser, hearback, bob!);
  const said = await answered.request.put(`${path}/acknowledgement`, {
    headers: apiHeaders,
    data: { readback: "I begin at 22:00." },
  });
  expect(said.status(), await said.text()).toBe(200);
  const [reader, owner] = [
    await openPhone(browser, hearback, bob!),
    await openPhone(browser, hearback, ada!),
  ];
  for (const [page, address] of [
    [reader, path],
    [owner, path],
    [owner, `${path}/receipts`],
    [owner, "/receipts"],
  ] as const) {
    await page.goto(address);
    await expect(page.locator("html[aria-busy]")).toHaveCount(0);
    const small = await page.locator("main").evaluate((main) =>
      [...main.querySelectorAll("button, summary, select, a.button, textarea")]
        // The dots of the timeline are drawn at their times; the player seeks to the same times.
        .filter((element) => element.checkVisibility() && !element.closest(".timeline, .sr"))
        .map((element) => [element, element.getBoundingClientRect()] as const)
        .filter(([, { width, height }]) => width > 0 && (height < 43.5 || width < 43.5))
        .map(([element, { width, height }]) => `${width}×${height} ${element.outerHTML}`),
    );
    expect(small, address).toEqual([]);
    await expect(page.locator("kbd:visible")).toHaveCount(0);
  }
});

test("a first visit to an update with five comments loads at most 160 kB besides the media", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Light", "Bob Light");
  const author = await openSignedInPage(browser, hearback, ada!);
  const path = await publishVideo(author, "readback", [bob!]);
  await comment(author, path, 5);
  const page = await openSignedInPage(browser, hearback, bob!);
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const addresses = new Map<string, string>();
  let loaded = 0;
  session.on("Network.responseReceived", ({ requestId, response }) =>
    addresses.set(requestId, new URL(response.url).pathname),
  );
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (!addresses.get(requestId)?.startsWith("/m/")) loaded += encodedDataLength;
  });
  await session.send("Network.clearBrowserCache");
  await page.goto(path);
  await expect(page.locator("update-stage")).toHaveClass(/ready/);
  await page.evaluate(() => document.fonts.ready);
  await expect(page.locator(".comment")).toHaveCount(5);
  expect(loaded).toBeGreaterThan(50_000);
  expect(loaded).toBeLessThanOrEqual(160_000);
});
