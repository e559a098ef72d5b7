// Recordings can be resumed after the page is reloaded, the tab crashes or the browser is killed.
// Stored data must not be lost.
import { RecordingBrowser } from "./recording.ts";
import { continueUpload, expectComplete, publishAndPlay, readOffer, test } from "./recovery.ts";
import { expect, Hearback } from "./test.ts";

test.describe.configure({ timeout: 180_000 });

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
  // Record a few seconds that do not reach the server.
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

test("a recording can be continued after the server has finished its abandoned upload", async ({}, info) => {
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
