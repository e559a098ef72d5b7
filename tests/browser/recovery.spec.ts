// Interrupted recordings: reloads, crashes, network and server outages, expired sessions. Stored data must not be lost.
// The tests measure the sound and the picture of the result.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page, TestInfo } from "@playwright/test";
import {
  sha256,
  measureTone,
  parseSafeSeconds,
  measureVideoSeconds,
  fetchStoredMedia,
  RecordingBrowser,
  TONE_HZ,
} from "./recording.ts";
import { expect, Hearback, checkPage, person, signIn, test as base, type Person } from "./test.ts";

/** `studio` is a browser in which a new account is signed in. */
const test = base.extend<{ server: Hearback; account: Person; studio: RecordingBrowser }>({
  server: async ({ freshServer }, use) => use(freshServer),
  account: async ({ server }, use) => {
    const [account] = await server.addPeople(person("Rhea"));
    await use(account!);
  },
  studio: async ({ server, account }, use, info) => {
    const studio = await RecordingBrowser.open(server, account, info.outputPath());
    await use(studio);
    await studio.close();
  },
});
test.describe.configure({ timeout: 180_000 });

const offers = (page: Page) => page.locator("unfinished-recordings .unfinished-recording");

/** Parses the offer "2:14 recorded, 2:11 safe on the server." into seconds. */
async function readOffer(page: Page): Promise<{ recorded: number; safe: number }> {
  await expect(offers(page)).toContainText(/recorded/);
  const [, recorded, safe] =
    /([\d:]+) recorded, ([\d:]+|all of it) safe/.exec(await offers(page).innerText()) ?? [];
  const seconds = (text = "") =>
    text.split(":").reduce((total, part) => total * 60 + Number(part), 0);
  return {
    recorded: seconds(recorded),
    safe: safe === "all of it" ? seconds(recorded) : seconds(safe),
  };
}

/** Continues the upload of the offered recording and returns the id of its draft. */
async function continueUpload(page: Page): Promise<string> {
  await offers(page)
    .getByRole("button", { name: /^(Continue the upload|Finish it)$/ })
    .click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  await expect(offers(page)).toHaveCount(0);
  await expect(page.locator("#main")).toBeFocused();
  return /updates\/([0-9a-z]+)/.exec(page.url())![1]!;
}

/**
 * Expects the stored file and the recorded chunks to have the same bytes, except that one of them may be longer.
 * The sound must last at least `minSeconds`, and the picture may be up to one second shorter.
 */
async function expectComplete(
  page: Page,
  update: string,
  chunks: Buffer[],
  minSeconds: number,
  info: TestInfo,
): Promise<void> {
  const { bytes, id } = await fetchStoredMedia(page, update);
  const recorded = Buffer.concat(chunks);
  const common = Math.min(recorded.length, bytes.length);
  expect(sha256(bytes.subarray(0, common))).toBe(sha256(recorded.subarray(0, common)));
  const file = info.outputPath(`${id}.webm`);
  await writeFile(file, bytes);
  const sound = await measureTone(file);
  expect(sound.seconds).toBeGreaterThanOrEqual(minSeconds);
  expect(sound.tone, `${TONE_HZ} Hz in the sound`).toBeGreaterThan(0.5);
  expect(await measureVideoSeconds(file)).toBeGreaterThanOrEqual(minSeconds - 1);
}

test(
  "a recording can be resumed after the page is reloaded",
  { tag: "@once" },
  async ({ studio }, info) => {
    await studio.recordUntilSafe(4);
    const { page } = studio;
    page.on("dialog", (dialog) => void dialog.accept());
    await page.reload();
    const { recorded, safe } = await readOffer(page);
    expect(recorded).toBeGreaterThanOrEqual(4);
    expect(safe).toBeGreaterThanOrEqual(4);
    await expectComplete(page, await continueUpload(page), studio.chunks, recorded - 1, info);
  },
);

test(
  "a recording can be resumed after the tab crashes",
  { tag: "@once" },
  async ({ studio }, info) => {
    await studio.recordUntilSafe(4);
    const crashed = studio.page.waitForEvent("crash");
    const session = await studio.context.newCDPSession(studio.page);
    session.send("Page.crash").catch(() => {});
    await crashed;
    const page = await studio.context.newPage();
    await page.goto("/inbox");
    const { recorded } = await readOffer(page);
    expect(recorded).toBeGreaterThanOrEqual(4);
    await expectComplete(page, await continueUpload(page), studio.chunks, recorded - 1, info);
  },
);

test("a recording can be resumed after the browser is killed while the server is down", async ({
  server,
  account,
  studio,
}, info) => {
  await studio.recordUntilSafe(3);
  await server.kill();
  await expect(studio.progressMessage).toContainText("kept in this browser");
  // Record some seconds that only the browser has.
  await expect.poll(() => studio.chunks.length).toBeGreaterThanOrEqual(8);
  await studio.killBrowser();
  await server.restart();
  const reopened = await RecordingBrowser.open(server, account, info.outputPath());
  await reopened.page.goto("/inbox");
  const { recorded, safe } = await readOffer(reopened.page);
  expect(recorded).toBeGreaterThan(safe);
  expect(recorded).toBeGreaterThanOrEqual(7);
  await expectComplete(
    reopened.page,
    await continueUpload(reopened.page),
    studio.chunks,
    recorded - 1,
    info,
  );
  await reopened.close();
});

test("the recorder continues after a network outage", async ({ studio }, info) => {
  await studio.recordUntilSafe(3);
  await studio.context.setOffline(true);
  await expect(studio.progressMessage).toContainText("kept in this browser");
  const kept = parseSafeSeconds(await studio.progressMessage.innerText());
  await studio.context.setOffline(false);
  await studio.waitUntilSafe(kept + 4);
  const update = await stopRecording(studio.page);
  await expectComplete(studio.page, update, studio.chunks, kept + 3, info);
  expect((await fetchStoredMedia(studio.page, update)).bytes.length).toBe(
    Buffer.concat(studio.chunks).length,
  );
});

test("the recorder loses nothing when the server is killed", async ({
  server,
  studio,
  browser,
}, info) => {
  await studio.recordUntilSafe(3);
  await server.kill();
  await expect(studio.progressMessage).toContainText("kept in this browser");
  await server.restart();
  await studio.waitUntilSafe(7);
  const update = await stopRecording(studio.page);
  expect(sha256((await fetchStoredMedia(studio.page, update)).bytes)).toBe(
    sha256(Buffer.concat(studio.chunks)),
  );
  await expectComplete(studio.page, update, studio.chunks, 7, info);
  await publishAndPlay(studio.page, update, server, browser, info);
});

test("a recovered recording can be published and played in another browser", async ({
  server,
  account,
  studio,
  browser,
}, info) => {
  await studio.recordUntilSafe(6);
  await studio.killBrowser();
  const reopened = await RecordingBrowser.open(server, account, info.outputPath());
  await reopened.page.goto("/inbox");
  const { recorded } = await readOffer(reopened.page);
  const update = await continueUpload(reopened.page);
  await expectComplete(reopened.page, update, studio.chunks, recorded - 1, info);
  await publishAndPlay(reopened.page, update, server, browser, info);
  await reopened.close();
});

test(
  "the recorder continues after the person signs in again in another tab",
  { tag: "@once" },
  async ({ account, studio }, info) => {
    await studio.recordUntilSafe(3);
    await studio.context.clearCookies();
    await expect(studio.progressMessage).toContainText(
      "You are signed out. Sign in in another tab",
    );
    const opened = studio.page.waitForEvent("popup");
    await studio.progressMessage.getByRole("link", { name: "Sign in" }).click();
    const other = await opened;
    await other.getByLabel("E-mail address").fill(account.email);
    await other.getByLabel("Password").fill(account.password);
    await other.getByLabel("Password").press("Enter");
    await expect(other.getByRole("heading", { level: 1 })).not.toHaveText("Sign in");
    await studio.waitUntilSafe(7);
    const update = await stopRecording(studio.page);
    expect(sha256((await fetchStoredMedia(studio.page, update)).bytes)).toBe(
      sha256(Buffer.concat(studio.chunks)),
    );
    await expectComplete(studio.page, update, studio.chunks, 7, info);
  },
);

test(
  "another person in the same browser is not offered the recording",
  { tag: "@once" },
  async ({ server, account, studio }, info) => {
    await studio.recordUntilSafe(3);
    const [other] = await server.addPeople("Otto");
    const tab = await studio.context.newPage();
    await signIn(tab, other!);
    await expect(studio.progressMessage).toContainText("Someone else is signed in");
    await studio.page.close({ runBeforeUnload: false });
    await tab.goto("/updates/new");
    await expect(tab.getByRole("heading", { name: "New update" })).toBeVisible();
    await expect(offers(tab)).toHaveCount(0);
    await signIn(tab, account);
    await tab.goto("/inbox");
    const { recorded } = await readOffer(tab);
    await expectComplete(tab, await continueUpload(tab), studio.chunks, recorded - 1, info);
  },
);

test("the recorder waits while the server has no disk space", async ({ studio }, info) => {
  await studio.recordUntilSafe(3);
  // A server without disk space still responds to HEAD but rejects PATCH.
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
  await expect(studio.progressMessage).toContainText(
    "The disk is nearly full. Safe on the server up to",
  );
  await studio.page.unroute("**/uploads/*");
  await studio.waitUntilSafe(8);
  const update = await stopRecording(studio.page);
  expect(sha256((await fetchStoredMedia(studio.page, update)).bytes)).toBe(
    sha256(Buffer.concat(studio.chunks)),
  );
  await expectComplete(studio.page, update, studio.chunks, 8, info);
});

test("the recorder recovers from a server that hangs and then responds late", async ({
  server,
  studio,
}, info) => {
  await studio.recordUntilSafe(3);
  server.suspend();
  await expect(studio.progressMessage).toContainText(
    "The server does not respond. Safe on the server up to",
    {
      timeout: 40_000,
    },
  );
  const recorded = studio.recordedSeconds;
  server.resume();
  await studio.waitUntilSafe(Math.ceil(recorded) + 2);
  const update = await stopRecording(studio.page);
  expect(sha256((await fetchStoredMedia(studio.page, update)).bytes)).toBe(
    sha256(Buffer.concat(studio.chunks)),
  );
  await expectComplete(studio.page, update, studio.chunks, Math.floor(recorded), info);
});

test(
  "the recorder warns that the browser has no space for a copy, and continues",
  { tag: "@once" },
  async ({ server, studio }, info) => {
    const session = await studio.context.newCDPSession(studio.page);
    await session.send("Storage.overrideQuotaForOrigin", {
      origin: server.url,
      quotaSize: 400_000,
    });
    await studio.recordUntilSafe(3);
    await server.kill();
    await expect(studio.progressMessage).toContainText(
      "This browser has no space for the rest, which is only in this tab. Keep the tab open.",
      { timeout: 60_000 },
    );
    const recorded = studio.recordedSeconds;
    await server.restart();
    await studio.waitUntilSafe(Math.ceil(recorded) + 2);
    const update = await stopRecording(studio.page);
    expect(sha256((await fetchStoredMedia(studio.page, update)).bytes)).toBe(
      sha256(Buffer.concat(studio.chunks)),
    );
    await expectComplete(studio.page, update, studio.chunks, Math.floor(recorded), info);
  },
);

test("a recording that was started in another browser is offered with the part that was uploaded", async ({
  server,
  studio,
  browser,
  account,
}, info) => {
  await studio.recordUntilSafe(4);
  await studio.killBrowser();
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await signIn(page, account);
  await page.goto("/inbox");
  await expect(page.getByRole("heading", { name: "Inbox" })).toBeVisible();
  // The recording may still be running in the other browser, so it is not offered yet.
  await expect(offers(page)).toHaveCount(0);
  await page.clock.setFixedTime(Date.now() + 1_200_000);
  await page.reload();
  await expect(offers(page)).toContainText(
    /recording of .+, begun in another browser\s*[\d.]+ [kM]B uploaded\./,
  );
  await offers(page).getByRole("button", { name: "Finish it here" }).click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  await expectComplete(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!, studio.chunks, 3, info);
  await context.close();
});

test("the rest of a recording can be added after the server has finished the upload", async ({}, info) => {
  const server = await Hearback.start("broken-off", {}, new Date().toISOString());
  const [account] = await server.addPeople("Rhea");
  const studio = await RecordingBrowser.open(server, account!, info.outputPath());
  await studio.recordUntilSafe(4);
  await server.kill();
  await expect.poll(() => studio.chunks.length).toBeGreaterThanOrEqual(9);
  await studio.killBrowser();
  await server.clock.moveTo(new Date(server.clock.now.getTime() + 2 * 3_600_000));
  await server.restart();
  const reopened = await RecordingBrowser.open(server, account!, info.outputPath());
  const uploads = async (): Promise<unknown> =>
    (
      await reopened.page.request.get("/uploads", { headers: { accept: "application/json" } })
    ).json();
  await expect.poll(uploads, { timeout: 90_000 }).toMatchObject({ items: [] });
  await reopened.page.goto("/inbox");
  const { recorded, safe } = await readOffer(reopened.page);
  expect(recorded).toBeGreaterThan(safe);
  // Two seconds may be missing: on a busy machine, the recorded sound is shorter than the elapsed time.
  await expectComplete(
    reopened.page,
    await continueUpload(reopened.page),
    studio.chunks,
    recorded - 2,
    info,
  );
  await reopened.close();
  await server.stop();
});

test("a recording that was removed from its draft elsewhere is not called safe and cannot be continued", async ({
  account,
  studio,
  browser,
  server,
}) => {
  await studio.recordUntilSafe(3);
  const { page } = studio;
  const elsewhere = await (await browser.newContext({ baseURL: server.url })).newPage();
  await signIn(elsewhere, account);
  await elsewhere.goto(page.url());
  await elsewhere.getByRole("button", { name: /^Remove Recording/ }).click();
  await expect(elsewhere.getByRole("dialog")).toContainText("may be being recorded right now");
  await elsewhere.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.locator("[data-do=open]")).toBeVisible();
  const deletedMessage = /0:\d\d was deleted on the server; 0:\d\d is left in this browser\./;
  await expect(page.locator("[data-part=problem]")).toContainText(deletedMessage);
  await expect(page.locator("[data-part=problem]")).not.toContainText("afe on the server");
  for (const at of [page.url(), "/inbox"]) {
    await page.goto(at);
    await expect(offers(page)).toContainText(deletedMessage);
    await expect(offers(page)).not.toContainText("afe on the server");
    await expect(offers(page).getByRole("button", { name: /Continue|Finish/ })).toHaveCount(0);
  }
  await offers(page).getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(offers(page)).toHaveCount(0);
});

test(
  "a postponed recording is offered again, and a discarded one is deleted everywhere",
  { tag: "@once" },
  async ({ studio }) => {
    await studio.recordUntilSafe(3);
    const { page } = studio;
    await page.close({ runBeforeUnload: false });
    const tab = await studio.context.newPage();
    await tab.goto("/inbox");
    await offers(tab).getByRole("button", { name: "Keep for later" }).click();
    await expect(offers(tab)).toContainText(
      "Kept. The recording is offered again when you next open Hearback",
    );
    await expect(offers(tab)).toBeFocused();
    await expect(offers(tab).getByRole("button")).toHaveCount(0);
    await tab.reload();
    await expect(tab.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(offers(tab)).toHaveCount(0);
    const next = await studio.context.newPage();
    await next.goto("/inbox");
    await expect(offers(next)).toHaveCount(1);
    await checkPage(next, "kept");
    await offers(next).getByRole("button", { name: "Discard" }).click();
    await next.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await expect(offers(next)).toHaveCount(1);
    await offers(next).getByRole("button", { name: "Discard" }).click();
    await next.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await expect(offers(next)).toHaveCount(0);
    await next.reload();
    await expect(next.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(offers(next)).toHaveCount(0);
    expect(
      await (
        await next.request.get("/uploads", { headers: { accept: "application/json" } })
      ).json(),
    ).toMatchObject({ items: [] });
  },
);

test(
  "each unfinished recording names its draft, and the page of a draft offers only its own recordings",
  { tag: "@once" },
  async ({ studio, account, browser, server }) => {
    const drafts: string[] = [];
    for (const title of ["The first one", "The second one"]) {
      const page = await studio.context.newPage();
      await page.goto("/updates/new");
      await page.getByLabel("Title").fill(title);
      await page.locator("[data-do=open]").click();
      await page.getByRole("radio", { name: "Camera", exact: true }).check();
      await page.locator("[data-do=record]").click();
      await expect
        .poll(async () => parseSafeSeconds(await page.locator("[data-part=safety]").innerText()), {
          timeout: 30_000,
        })
        .toBeGreaterThanOrEqual(2);
      drafts.push(new URL(page.url()).pathname);
      // In another browser, the recording still seems to be running.
      if (title === "The first one") {
        const elsewhere = await (await browser.newContext({ baseURL: server.url })).newPage();
        await signIn(elsewhere, account);
        await elsewhere.goto(drafts[0]!);
        await expect(elsewhere.locator(".media-item")).toContainText("Still arriving.");
        // Set the page's clock two minutes ahead, as if the server had received nothing for two minutes.
        await elsewhere.clock.setFixedTime(Date.now() + 120_000);
        await elsewhere.reload();
        await expect(elsewhere.locator(".media-item")).toContainText(
          "The recording is paused, or its page was closed.",
        );
        await expect(offers(elsewhere)).toHaveCount(0);
        await elsewhere.context().close();
      }
      await page.close({ runBeforeUnload: false });
    }
    const { page } = studio;
    await page.goto("/inbox");
    await expect(offers(page).filter({ hasText: "in “The first one”" })).toHaveCount(1);
    await expect(offers(page)).toHaveCount(2);
    await page.goto(drafts[1]!);
    await expect(offers(page)).toHaveCount(1);
    await expect(offers(page)).toContainText("in “The second one”");
    await expect(page.locator(".media-item")).toContainText("Unfinished.");
    await expect(page.locator(".media-item")).not.toContainText("Still arriving.");
    await checkPage(page, "kept-draft");
    await offers(page)
      .getByRole("button", { name: /^(Continue the upload|Finish it)$/ })
      .click();
    await expect(offers(page)).toHaveCount(0);
    await expect(page).toHaveURL(drafts[1]!);
    await expect(page.locator(".media-item video")).toBeVisible();
  },
);

/** Stops the recorder and returns the id of the draft once everything is uploaded. */
async function stopRecording(page: Page): Promise<string> {
  await page.locator("[data-do=stop]").click();
  await expect(page.locator("[data-do=open]")).toBeVisible();
  return /updates\/([0-9a-z]+)/.exec(page.url())![1]!;
}

/** Publishes the draft, and expects that another person can play it, seek in it and hear its sound. */
async function publishAndPlay(
  page: Page,
  update: string,
  server: Hearback,
  browser: Browser,
  info: TestInfo,
): Promise<void> {
  const [bob] = await server.addPeople("Bob");
  await page.goto(`/updates/${update}/edit`);
  const audience = page.locator("people-field input:visible");
  await audience.fill(bob!.email);
  await audience.press("Enter");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  const context = await browser.newContext({ baseURL: server.url });
  const viewer = await context.newPage();
  await signIn(viewer, bob!);
  await viewer.goto(`/updates/${update}`);
  const video = viewer.locator("update-stage video");
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
  await writeFile(file, (await fetchStoredMedia(viewer, update, "playable")).bytes);
  expect((await measureTone(file)).tone).toBeGreaterThan(0.5);
  await context.close();
}
