// A recording that is interrupted, in every way it can be: nothing that was kept is lost, and what is heard at the end is measured.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page, TestInfo } from "@playwright/test";
import { hash, heard, safeUpTo, seen, stored, RecordingBrowser, TONE } from "./recording.ts";
import { expect, Hearback, look, person, signIn, test as base, type Person } from "./test.ts";

/** `studio` is the browser of someone new. */
const test = base.extend<{ server: Hearback; who: Person; studio: RecordingBrowser }>({
  server: async ({ fresh }, use) => use(fresh),
  who: async ({ server }, use) => {
    const [who] = await server.people(person("Rhea"));
    await use(who!);
  },
  studio: async ({ server, who }, use, info) => {
    const studio = await RecordingBrowser.open(server, who, info.outputPath());
    await use(studio);
    await studio.close();
  },
});
test.describe.configure({ timeout: 180_000 });

const offer = (page: Page) => page.locator("unfinished-recordings .unfinished-recording");

/** "2:14 recorded, 2:11 safe on the server." in seconds. */
async function offered(page: Page): Promise<{ recorded: number; safe: number }> {
  await expect(offer(page)).toContainText(/recorded/);
  const [, recorded, safe] =
    /([\d:]+) recorded, ([\d:]+|all of it) safe/.exec(await offer(page).innerText()) ?? [];
  const seconds = (text = "") => text.split(":").reduce((all, part) => all * 60 + Number(part), 0);
  return {
    recorded: seconds(recorded),
    safe: safe === "all of it" ? seconds(recorded) : seconds(safe),
  };
}

/** Continues the upload of what is offered, and answers the id of the draft that it leads to. */
async function goOn(page: Page): Promise<string> {
  await offer(page)
    .getByRole("button", { name: /^(Continue the upload|Finish it)$/ })
    .click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  await expect(offer(page)).toHaveCount(0);
  await expect(page.locator("#main")).toBeFocused();
  return /updates\/([0-9a-z]+)/.exec(page.url())![1]!;
}

/** What is stored is what the recorder handed out, up to what was still in its hands, and can be seen and heard as long as it should. */
async function complete(
  page: Page,
  update: string,
  pieces: Buffer[],
  atLeast: number,
  info: TestInfo,
): Promise<void> {
  const { bytes, id } = await stored(page, update);
  const all = Buffer.concat(pieces);
  const common = Math.min(all.length, bytes.length);
  expect(hash(bytes.subarray(0, common))).toBe(hash(all.subarray(0, common)));
  const file = info.outputPath(`${id}.webm`);
  await writeFile(file, bytes);
  const sound = await heard(file);
  expect(sound.seconds).toBeGreaterThanOrEqual(atLeast);
  expect(sound.tone, `${TONE} Hz in the sound`).toBeGreaterThan(0.5);
  expect(await seen(file)).toBeGreaterThanOrEqual(atLeast - 1);
}

test("the page is loaded again in the middle", { tag: "@once" }, async ({ studio }, info) => {
  await studio.record(4);
  const { page } = studio;
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  const { recorded, safe } = await offered(page);
  expect(recorded).toBeGreaterThanOrEqual(4);
  expect(safe).toBeGreaterThanOrEqual(4);
  await complete(page, await goOn(page), studio.pieces, recorded - 1, info);
});

test("the tab crashes", { tag: "@once" }, async ({ studio }, info) => {
  await studio.record(4);
  const crashed = studio.page.waitForEvent("crash");
  const session = await studio.context.newCDPSession(studio.page);
  session.send("Page.crash").catch(() => {});
  await crashed;
  const page = await studio.context.newPage();
  await page.goto("/inbox");
  const { recorded } = await offered(page);
  expect(recorded).toBeGreaterThanOrEqual(4);
  await complete(page, await goOn(page), studio.pieces, recorded - 1, info);
});

test("the whole browser is killed while the server is away", async ({
  server,
  who,
  studio,
}, info) => {
  await studio.record(3);
  await server.kill();
  await expect(studio.words).toContainText("kept in this browser");
  // Some seconds that only the browser has.
  await expect.poll(() => studio.pieces.length).toBeGreaterThanOrEqual(8);
  await studio.kill();
  await server.again();
  const after = await RecordingBrowser.open(server, who, info.outputPath());
  await after.page.goto("/inbox");
  const { recorded, safe } = await offered(after.page);
  expect(recorded).toBeGreaterThan(safe);
  expect(recorded).toBeGreaterThanOrEqual(7);
  await complete(after.page, await goOn(after.page), studio.pieces, recorded - 1, info);
  await after.close();
});

test("the network goes and comes back", async ({ studio }, info) => {
  await studio.record(3);
  await studio.context.setOffline(true);
  await expect(studio.words).toContainText("kept in this browser");
  const kept = safeUpTo(await studio.words.innerText());
  await studio.context.setOffline(false);
  await studio.safe(kept + 4);
  const update = await stop(studio.page);
  await complete(studio.page, update, studio.pieces, kept + 3, info);
  expect((await stored(studio.page, update)).bytes.length).toBe(
    Buffer.concat(studio.pieces).length,
  );
});

test("the server is killed in the middle; nothing is lost", async ({
  server,
  studio,
  browser,
}, info) => {
  await studio.record(3);
  await server.kill();
  await expect(studio.words).toContainText("kept in this browser");
  await server.again();
  await studio.safe(7);
  const update = await stop(studio.page);
  expect(hash((await stored(studio.page, update)).bytes)).toBe(hash(Buffer.concat(studio.pieces)));
  await complete(studio.page, update, studio.pieces, 7, info);
  await publishedAndHeard(studio.page, update, server, browser, info);
});

test("records, is killed, recovers, publishes; a second browser plays it, seeks in it and hears it", async ({
  server,
  who,
  studio,
  browser,
}, info) => {
  await studio.record(6);
  await studio.kill();
  const after = await RecordingBrowser.open(server, who, info.outputPath());
  await after.page.goto("/inbox");
  const { recorded } = await offered(after.page);
  const update = await goOn(after.page);
  await complete(after.page, update, studio.pieces, recorded - 1, info);
  await publishedAndHeard(after.page, update, server, browser, info);
  await after.close();
});

test(
  "the session ends, and is begun again in another tab",
  { tag: "@once" },
  async ({ who, studio }, info) => {
    await studio.record(3);
    await studio.context.clearCookies();
    await expect(studio.words).toContainText("You are signed out. Sign in in another tab");
    const opened = studio.page.waitForEvent("popup");
    await studio.words.getByRole("link", { name: "Sign in" }).click();
    const other = await opened;
    await other.getByLabel("E-mail address").fill(who.email);
    await other.getByLabel("Password").fill(who.password);
    await other.getByLabel("Password").press("Enter");
    await expect(other.getByRole("heading", { level: 1 })).not.toHaveText("Sign in");
    await studio.safe(7);
    const update = await stop(studio.page);
    expect(hash((await stored(studio.page, update)).bytes)).toBe(
      hash(Buffer.concat(studio.pieces)),
    );
    await complete(studio.page, update, studio.pieces, 7, info);
  },
);

test(
  "somebody else signs in: nothing of it is theirs, and it goes on when its person is back",
  { tag: "@once" },
  async ({ server, who, studio }, info) => {
    await studio.record(3);
    const [other] = await server.people("Otto");
    const tab = await studio.context.newPage();
    await signIn(tab, other!);
    await expect(studio.words).toContainText("Somebody else is signed in");
    await studio.page.close({ runBeforeUnload: false });
    await tab.goto("/updates/new");
    await expect(tab.getByRole("heading", { name: "New update" })).toBeVisible();
    await expect(offer(tab)).toHaveCount(0);
    await signIn(tab, who);
    await tab.goto("/inbox");
    const { recorded } = await offered(tab);
    await complete(tab, await goOn(tab), studio.pieces, recorded - 1, info);
  },
);

test("the server answers that it has no room, and later it has", async ({ studio }, info) => {
  await studio.record(3);
  // As the server does: it still says how much it holds, and takes no more.
  await studio.page.route("**/uploads/*", (route) =>
    route.request().method() === "PATCH"
      ? route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          headers: { "retry-after": "1" },
          json: { title: "Unavailable", detail: "The disk is nearly full." },
        })
      : route.continue(),
  );
  await expect(studio.words).toContainText("The disk is nearly full. Safe on the server up to");
  await studio.page.unroute("**/uploads/*");
  await studio.safe(8);
  const update = await stop(studio.page);
  expect(hash((await stored(studio.page, update)).bytes)).toBe(hash(Buffer.concat(studio.pieces)));
  await complete(studio.page, update, studio.pieces, 8, info);
});

test("the server stands still, and then does late what it was asked", async ({
  server,
  studio,
}, info) => {
  await studio.record(3);
  server.stall();
  await expect(studio.words).toContainText("The server does not answer. Safe on the server up to", {
    timeout: 40_000,
  });
  const recorded = studio.recorded;
  server.goOn();
  await studio.safe(Math.ceil(recorded) + 2);
  const update = await stop(studio.page);
  expect(hash((await stored(studio.page, update)).bytes)).toBe(hash(Buffer.concat(studio.pieces)));
  await complete(studio.page, update, studio.pieces, Math.floor(recorded), info);
});

test(
  "the browser has no room for a copy: it says so, and goes on",
  { tag: "@once" },
  async ({ server, studio }, info) => {
    const session = await studio.context.newCDPSession(studio.page);
    await session.send("Storage.overrideQuotaForOrigin", {
      origin: server.url,
      quotaSize: 400_000,
    });
    await studio.record(3);
    await server.kill();
    await expect(studio.words).toContainText(
      "This browser has no room for the rest: it is in this tab alone, so leave it open.",
      { timeout: 60_000 },
    );
    const recorded = studio.recorded;
    await server.again();
    await studio.safe(Math.ceil(recorded) + 2);
    const update = await stop(studio.page);
    expect(hash((await stored(studio.page, update)).bytes)).toBe(
      hash(Buffer.concat(studio.pieces)),
    );
    await complete(studio.page, update, studio.pieces, Math.floor(recorded), info);
  },
);

test("a recording begun in another browser is offered with what arrived", async ({
  server,
  studio,
  browser,
  who,
}, info) => {
  await studio.record(4);
  await studio.kill();
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await signIn(page, who);
  await page.goto("/inbox");
  await expect(page.getByRole("heading", { name: "Inbox" })).toBeVisible();
  // It may still go on there.
  await expect(offer(page)).toHaveCount(0);
  await page.clock.setFixedTime(Date.now() + 1_200_000);
  await page.reload();
  await expect(offer(page)).toContainText(
    /recording of .+, begun in another browser\s*[\d.]+ [kM]B of it arrived\./,
  );
  await offer(page).getByRole("button", { name: "Finish it here" }).click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  await complete(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!, studio.pieces, 3, info);
  await context.close();
});

test("after an hour the server finishes it by itself; the rest is added when its browser comes back", async ({}, info) => {
  const server = await Hearback.start("broken-off", {}, new Date().toISOString());
  const [who] = await server.people("Rhea");
  const studio = await RecordingBrowser.open(server, who!, info.outputPath());
  await studio.record(4);
  await server.kill();
  await expect.poll(() => studio.pieces.length).toBeGreaterThanOrEqual(9);
  await studio.kill();
  await server.clock.moveTo(new Date(server.clock.now.getTime() + 2 * 3_600_000));
  await server.again();
  const after = await RecordingBrowser.open(server, who!, info.outputPath());
  const uploads = async (): Promise<unknown> =>
    (await after.page.request.get("/uploads", { headers: { accept: "application/json" } })).json();
  await expect.poll(uploads, { timeout: 90_000 }).toMatchObject({ items: [] });
  await after.page.goto("/inbox");
  const { recorded, safe } = await offered(after.page);
  expect(recorded).toBeGreaterThan(safe);
  // A busy browser records less sound than time goes by; that no byte is missing is checked too.
  await complete(after.page, await goOn(after.page), studio.pieces, recorded - 2, info);
  await after.close();
  await server.stop();
});

test("the recording is removed from its draft elsewhere: nothing is called safe any more, and nothing is to be continued", async ({
  who,
  studio,
  browser,
  server,
}) => {
  await studio.record(3);
  const { page } = studio;
  const elsewhere = await (await browser.newContext({ baseURL: server.url })).newPage();
  await signIn(elsewhere, who);
  await elsewhere.goto(page.url());
  await elsewhere.getByRole("button", { name: /^Remove Recording/ }).click();
  await expect(elsewhere.getByRole("dialog")).toContainText("may be being recorded right now");
  await elsewhere.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.locator("[data-do=open]")).toBeVisible();
  const said = /0:\d\d was deleted on the server; 0:\d\d is left in this browser\./;
  await expect(page.locator("[data-part=problem]")).toContainText(said);
  await expect(page.locator("[data-part=problem]")).not.toContainText("afe on the server");
  for (const at of [page.url(), "/inbox"]) {
    await page.goto(at);
    await expect(offer(page)).toContainText(said);
    await expect(offer(page)).not.toContainText("afe on the server");
    await expect(offer(page).getByRole("button", { name: /Continue|Finish/ })).toHaveCount(0);
  }
  await offer(page).getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(offer(page)).toHaveCount(0);
});

test(
  "kept for later it is offered again; discarded it is gone everywhere",
  { tag: "@once" },
  async ({ studio }) => {
    await studio.record(3);
    const { page } = studio;
    await page.close({ runBeforeUnload: false });
    const tab = await studio.context.newPage();
    await tab.goto("/inbox");
    await offer(tab).getByRole("button", { name: "Keep for later" }).click();
    await expect(offer(tab)).toContainText("Kept. It is offered again when you next open Hearback");
    await expect(offer(tab)).toBeFocused();
    await expect(offer(tab).getByRole("button")).toHaveCount(0);
    await tab.reload();
    await expect(tab.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(offer(tab)).toHaveCount(0);
    const next = await studio.context.newPage();
    await next.goto("/inbox");
    await expect(offer(next)).toHaveCount(1);
    await look(next, "kept");
    await offer(next).getByRole("button", { name: "Discard" }).click();
    await next.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await expect(offer(next)).toHaveCount(1);
    await offer(next).getByRole("button", { name: "Discard" }).click();
    await next.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await expect(offer(next)).toHaveCount(0);
    await next.reload();
    await expect(next.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(offer(next)).toHaveCount(0);
    expect(
      await (
        await next.request.get("/uploads", { headers: { accept: "application/json" } })
      ).json(),
    ).toMatchObject({ items: [] });
  },
);

test(
  "of two recordings each offer says its draft, on the page of a draft is its own alone, and its row says that nothing arrives",
  { tag: "@once" },
  async ({ studio, who, browser, server }) => {
    const drafts: string[] = [];
    for (const title of ["The first one", "The second one"]) {
      const page = await studio.context.newPage();
      await page.goto("/updates/new");
      await page.getByLabel("Title").fill(title);
      await page.locator("[data-do=open]").click();
      await page.getByRole("radio", { name: "Camera", exact: true }).check();
      await page.locator("[data-do=record]").click();
      await expect
        .poll(async () => safeUpTo(await page.locator("[data-part=safety]").innerText()), {
          timeout: 30_000,
        })
        .toBeGreaterThanOrEqual(2);
      drafts.push(new URL(page.url()).pathname);
      // Elsewhere it is still arriving, for all one knows.
      if (title === "The first one") {
        const elsewhere = await (await browser.newContext({ baseURL: server.url })).newPage();
        await signIn(elsewhere, who);
        await elsewhere.goto(drafts[0]!);
        await expect(elsewhere.locator(".media-item")).toContainText("Still arriving.");
        // Nothing came for two minutes.
        await elsewhere.clock.setFixedTime(Date.now() + 120_000);
        await elsewhere.reload();
        await expect(elsewhere.locator(".media-item")).toContainText(
          "It is paused, or its page is gone.",
        );
        await expect(offer(elsewhere)).toHaveCount(0);
        await elsewhere.context().close();
      }
      await page.close({ runBeforeUnload: false });
    }
    const { page } = studio;
    await page.goto("/inbox");
    await expect(offer(page).filter({ hasText: "in “The first one”" })).toHaveCount(1);
    await expect(offer(page)).toHaveCount(2);
    await page.goto(drafts[1]!);
    await expect(offer(page)).toHaveCount(1);
    await expect(offer(page)).toContainText("in “The second one”");
    await expect(page.locator(".media-item")).toContainText("Unfinished.");
    await expect(page.locator(".media-item")).not.toContainText("Still arriving.");
    await look(page, "kept-draft");
    await offer(page)
      .getByRole("button", { name: /^(Continue the upload|Finish it)$/ })
      .click();
    await expect(offer(page)).toHaveCount(0);
    await expect(page).toHaveURL(drafts[1]!);
    await expect(page.locator(".media-item video")).toBeVisible();
  },
);

/** Stops the recorder, and answers the id of the draft once all of it is there. */
async function stop(page: Page): Promise<string> {
  await page.locator("[data-do=stop]").click();
  await expect(page.locator("[data-do=open]")).toBeVisible();
  return /updates\/([0-9a-z]+)/.exec(page.url())![1]!;
}

/** Publishes the draft to someone, in whose own browser it plays, jumps and sounds. */
async function publishedAndHeard(
  page: Page,
  update: string,
  server: Hearback,
  browser: Browser,
  info: TestInfo,
): Promise<void> {
  const [bob] = await server.people("Bob");
  await page.goto(`/updates/${update}/edit`);
  const audience = page.locator("people-field input:visible");
  await audience.fill(bob!.email);
  await audience.press("Enter");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  const context = await browser.newContext({ baseURL: server.url });
  const theirs = await context.newPage();
  await signIn(theirs, bob!);
  await theirs.goto(`/updates/${update}`);
  const video = theirs.locator("update-stage video");
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.readyState))
    .toBeGreaterThan(0);
  await video.evaluate((element: HTMLVideoElement) => {
    element.muted = true;
    element.currentTime = 3;
    return element.play();
  });
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime))
    .toBeGreaterThan(3.5);
  expect(await video.evaluate((element: HTMLVideoElement) => element.videoWidth)).toBeGreaterThan(
    0,
  );
  const file = join(info.outputPath(), "played");
  await writeFile(file, (await stored(theirs, update, "playable")).bytes);
  expect((await heard(file)).tone).toBeGreaterThan(0.5);
  await context.close();
}
