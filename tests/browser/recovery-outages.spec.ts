// The recorder continues after an outage of the network or the server, and after the person's
// session expires.
import { fetchStoredMedia, parseSafeSeconds, sha256 } from "./recording.ts";
import { expectComplete, publishAndPlay, stopRecording, test } from "./recovery.ts";
import { expect } from "./test.ts";

test.describe.configure({ timeout: 180_000 });

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

test(
  "the recorder continues after the person signs in again in another tab",
  { tag: "@once" },
  async ({ account, studio }, info) => {
    await studio.recordUntilSafe(3);
    await studio.context.clearCookies();
    await expect(studio.progressMessage).toContainText(
      "You are signed out. Sign in again in another tab",
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
  "the recorder continues after the server rejects a request that was sent before the person signed in again",
  { tag: "@once" },
  async ({ studio }) => {
    await studio.recordUntilSafe(3);
    // The session is valid, but requests are rejected as if they had been sent without it.
    await studio.page.route("**/uploads/*", (route) =>
      route.request().method() === "PATCH"
        ? route.fulfill({
            status: 401,
            contentType: "application/problem+json",
            json: { title: "Not signed in" },
          })
        : route.continue(),
    );
    await expect(studio.progressMessage).toContainText(
      "You are signed in again. Sending continues in a moment. Safe on the server up to",
    );
    await studio.page.unroute("**/uploads/*");
    await studio.waitUntilSafe(6);
    await stopRecording(studio.page);
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
    "The server is not responding. Safe on the server up to",
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
  "the recorder warns that the browser has no space for a copy of the recording, and continues",
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
