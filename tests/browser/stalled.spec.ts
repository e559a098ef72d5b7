// Recordings in which a screen, camera, microphone or worker responds late or never. Everything else is recorded
// without delay.
import { writeFile } from "node:fs/promises";
import type { Page, TestInfo } from "@playwright/test";
import { expect, checkPage, test } from "./test.ts";
import { measureTone, colorShares, fetchStoredMedia } from "./recording.ts";
import { colors, fakeSources, deliver } from "./sources.ts";
import { waitUntilRecorded, recorder, openStudio } from "./studio.ts";

const missingMessage = (page: Page) => page.locator('[data-part="missing"]');
const messages = {
  screen:
    "Your screen hasn’t appeared yet. You’re still recording, and it’ll be in it from the moment it appears.",
  camera: "Your camera isn’t sending a picture. You’re recording without it.",
  cameraAlone:
    "Your camera hasn’t appeared yet. You’re still recording, and it’ll be in it from the moment it appears.",
  both: "Your screen and camera haven’t appeared yet. You’re still recording, and they’ll be in it from the moment they appear.",
  sound: "No sound is arriving, so you’re recording without sound.",
};

/** Chooses a source, calls `between` and presses Record. */
async function pressRecord(
  page: Page,
  source: string,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: source, exact: true }).check();
  await between();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
}

const expectRecording = (page: Page) =>
  expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });

/** Stops the recording, and returns the path of the downloaded file. */
async function stopAndDownload(page: Page, info: TestInfo): Promise<string> {
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  const { id, bytes } = await fetchStoredMedia(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!);
  const file = info.outputPath(`${id}.webm`);
  await writeFile(file, bytes);
  return file;
}

/**
 * Returns the share of the area that a source's color covers in the first frame and in the last frame of a file, from 0
 * to 1.
 */
async function colorAtEnds(
  file: string,
  source: "screen" | "camera",
): Promise<{ first: number; last: number }> {
  const frames = await colorShares(file, colors[source]);
  return { first: frames[0]!, last: frames.at(-1)! };
}

async function expectTone(file: string): Promise<void> {
  const { seconds, tone } = await measureTone(file);
  expect(seconds).toBeGreaterThan(1);
  expect(tone).toBeGreaterThan(0.5);
}

test("a screen that has not sent a frame yet does not delay the camera recording, and is recorded from its first frame", async ({
  playwright,
  hearback,
}, info) => {
  const [sara] = await hearback.addPeople("Sara Stall");
  const { page, close } = await openStudio(playwright, hearback, sara!);
  await fakeSources(page, { screen: "mute", camera: "mute" });
  await pressRecord(page, "Screen and camera", () => deliver(page, "camera"));
  await expectRecording(page);
  await expect(missingMessage(page)).toHaveText(messages.screen);
  await expect(page.locator("#announcements")).toHaveText(`Recording. ${messages.screen}`);
  await waitUntilRecorded(page, 2);
  // Scroll to the top first, because the sticky recorder bar would cover the middle of a full-page screenshot.
  await page.evaluate(() => scrollTo(0, 0));
  await checkPage(page, "recorder-missing");
  await deliver(page, "screen");
  await expect(missingMessage(page)).toBeHidden();
  await expect(page.locator("#announcements")).toHaveText(
    "Everything you chose is being recorded now.",
  );
  await waitUntilRecorded(
    page,
    Number((await page.locator('[data-part="time"]').textContent())!.split(":")[1]) + 2,
  );
  const file = await stopAndDownload(page, info);
  const [screen, camera] = [await colorAtEnds(file, "screen"), await colorAtEnds(file, "camera")];
  expect(screen.first).toBeLessThan(0.01);
  expect(screen.last).toBeGreaterThan(0.8);
  expect(Math.min(camera.first, camera.last)).toBeGreaterThan(0.02);
  await expectTone(file);
  await close();
});

test("a camera that has not sent a frame yet does not delay the screen recording, and is recorded from its first frame", async ({
  playwright,
  hearback,
}, info) => {
  const [stan] = await hearback.addPeople("Stan Stall");
  const { page, close } = await openStudio(playwright, hearback, stan!);
  await fakeSources(page, { screen: "mute", camera: "mute" });
  await pressRecord(page, "Screen and camera");
  await expect(recorder(page)).toHaveAttribute("data-state", "counting");
  await deliver(page, "screen", "once");
  await expectRecording(page);
  await expect(missingMessage(page)).toHaveText(messages.camera);
  await waitUntilRecorded(page, 2);
  await deliver(page, "camera");
  await expect(missingMessage(page)).toBeHidden();
  await waitUntilRecorded(page, 4);
  const file = await stopAndDownload(page, info);
  const [screen, camera] = [await colorAtEnds(file, "screen"), await colorAtEnds(file, "camera")];
  expect(Math.min(screen.first, screen.last)).toBeGreaterThan(0.8);
  expect(camera.first).toBeLessThan(0.01);
  expect(camera.last).toBeGreaterThan(0.02);
  await expectTone(file);
  await close();
});

test("sound is recorded while neither the screen nor the camera sends frames", async ({
  playwright,
  hearback,
}, info) => {
  const [sina] = await hearback.addPeople("Sina Stall");
  const { page, close } = await openStudio(playwright, hearback, sina!);
  await fakeSources(page, { screen: "mute", camera: "mute" });
  await pressRecord(page, "Screen and camera");
  await expectRecording(page);
  await expect(missingMessage(page)).toHaveText(messages.both);
  await waitUntilRecorded(page, 3);
  const file = await stopAndDownload(page, info);
  expect(Math.min(...(await colorShares(file, [0, 0, 0])))).toBeGreaterThan(0.99);
  await expectTone(file);
  await close();
});

for (const [source, name, text] of [
  ["screen", "Screen", messages.screen],
  ["camera", "Camera", messages.cameraAlone],
] as const) {
  test(`a recording whose only source is a ${source} starts even if the first frame is late`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sven] = await hearback.addPeople(`Sven ${name}`);
    const { page, close } = await openStudio(playwright, hearback, sven!);
    await fakeSources(page, { [source]: "mute" });
    await pressRecord(page, name);
    await expectRecording(page);
    await expect(missingMessage(page)).toHaveText(text);
    await waitUntilRecorded(page, 2);
    await deliver(page, source);
    await expect(missingMessage(page)).toBeHidden();
    await waitUntilRecorded(page, 4);
    const file = await stopAndDownload(page, info);
    const { first, last } = await colorAtEnds(file, source);
    expect(first).toBeLessThan(0.01);
    expect(last).toBeGreaterThan(0.7);
    await expectTone(file);
    await close();
  });
}

test("a screen that sends only one frame is recorded", async ({ playwright, hearback }, info) => {
  const [suse] = await hearback.addPeople("Suse Stall");
  const { page, close } = await openStudio(playwright, hearback, suse!);
  await fakeSources(page, { screen: "mute" });
  await pressRecord(page, "Screen");
  await expect(recorder(page)).toHaveAttribute("data-state", "counting");
  await deliver(page, "screen", "once");
  await expectRecording(page);
  await waitUntilRecorded(page, 3);
  const file = await stopAndDownload(page, info);
  const { first, last } = await colorAtEnds(file, "screen");
  expect(Math.min(first, last)).toBeGreaterThan(0.8);
  await expectTone(file);
  await close();
});

for (const [behavior, name] of [
  ["silent", "is silent"],
  ["mute", "delivers nothing"],
] as const) {
  test(`a microphone that ${name} does not delay the picture`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sid] = await hearback.addPeople(`Sid ${behavior}`);
    const { page, close } = await openStudio(playwright, hearback, sid!);
    await fakeSources(page, { screen: "mute", microphone: behavior });
    await pressRecord(page, "Screen");
    await expect(recorder(page)).toHaveAttribute("data-state", "counting");
    await deliver(page, "screen");
    await expectRecording(page);
    await waitUntilRecorded(page, 3);
    await expect(missingMessage(page)).toBeHidden();
    const file = await stopAndDownload(page, info);
    expect((await colorAtEnds(file, "screen")).last).toBeGreaterThan(0.8);
    expect((await measureTone(file)).seconds).toBeGreaterThan(1);
    await close();
  });
}

for (const [hidesFrames, limitation] of [
  [false, "cannot mix sound"],
  [true, "cannot mix sound or read frames"],
] as const) {
  test(`a microphone that delivers nothing is left out if the browser ${limitation}`, async ({
    playwright,
    hearback,
  }, info) => {
    const [siv] = await hearback.addPeople(`Siv Stall ${hidesFrames}`);
    const { page, context, close } = await openStudio(playwright, hearback, siv!);
    // Browsers without an audio output behave like this.
    await context.addInitScript(() => {
      AudioContext.prototype.resume = () => new Promise(() => {});
      Object.defineProperty(AudioContext.prototype, "state", { get: () => "suspended" });
    });
    // Count the recorders: a second one would mean that the first had waited for the microphone and was replaced.
    await context.addInitScript(() => {
      const Real = MediaRecorder;
      let started = 0;
      window.MediaRecorder = class extends Real {
        constructor(stream: MediaStream, options?: MediaRecorderOptions) {
          super(stream, options);
          if (stream.getVideoTracks().length > 0)
            document.documentElement.dataset.recorders = String((started += 1));
        }
      };
    });
    await fakeSources(page, { screen: "mute", microphone: "mute" }, { hidesFrames });
    await pressRecord(page, "Screen");
    await expectRecording(page);
    await expect(missingMessage(page)).toHaveText(`${messages.screen} ${messages.sound}`);
    await deliver(page, "screen");
    await expect(missingMessage(page)).toHaveText(messages.sound);
    await expect(page.locator("html")).toHaveAttribute("data-recorders", "1");
    await waitUntilRecorded(page, 3);
    expect((await colorAtEnds(await stopAndDownload(page, info), "screen")).last).toBeGreaterThan(
      0.8,
    );
    await close();
  });
}

test("a screen and a camera that start late are recorded even in a browser that cannot read frames", async ({
  playwright,
  hearback,
}, info) => {
  const [sam] = await hearback.addPeople("Sam Stall");
  const { page, close } = await openStudio(playwright, hearback, sam!);
  await fakeSources(page, { screen: "mute", camera: "mute" }, { hidesFrames: true });
  await pressRecord(page, "Screen and camera");
  await expectRecording(page);
  await expect(missingMessage(page)).toHaveText(messages.both);
  await waitUntilRecorded(page, 2);
  await deliver(page, "screen");
  await deliver(page, "camera");
  await expect(missingMessage(page)).toBeHidden();
  await waitUntilRecorded(page, 4);
  const file = await stopAndDownload(page, info);
  const [screen, camera] = [await colorAtEnds(file, "screen"), await colorAtEnds(file, "camera")];
  expect(Math.max(screen.first, camera.first)).toBeLessThan(0.01);
  expect(screen.last).toBeGreaterThan(0.8);
  expect(camera.last).toBeGreaterThan(0.02);
  await expectTone(file);
  await close();
});

for (const [failure, name] of [
  ["fails", "fails to load"],
  ["waits", "loads late"],
] as const) {
  test(`a compositor worker that ${name} does not delay a recording of screen and camera`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sol] = await hearback.addPeople(`Sol ${failure}`);
    const { page, close } = await openStudio(playwright, hearback, sol!);
    let load!: () => void;
    const gate = new Promise<void>((resolve) => (load = resolve));
    await page.route("**/compositor-worker*", async (route) => {
      if (failure === "fails") return route.abort();
      await gate;
      await route.continue();
    });
    await fakeSources(page, { screen: "mute", camera: "mute" });
    await pressRecord(page, "Screen and camera", () => deliver(page, "camera"));
    await expectRecording(page);
    await expect(missingMessage(page)).toHaveText(messages.screen);
    load();
    await deliver(page, "screen");
    await expect(missingMessage(page)).toBeHidden();
    await waitUntilRecorded(page, 3);
    const file = await stopAndDownload(page, info);
    expect((await colorAtEnds(file, "screen")).last).toBeGreaterThan(0.8);
    expect((await colorAtEnds(file, "camera")).last).toBeGreaterThan(0.02);
    await expectTone(file);
    await close();
  });
}

for (const [brokenWorkers, replacement] of [
  [1, "another worker"],
  [Infinity, "the page"],
] as const) {
  test(`a compositor worker that gets no frames is replaced by ${replacement}`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sue] = await hearback.addPeople(`Sue ${brokenWorkers}`);
    const { page, close } = await openStudio(playwright, hearback, sue!);
    let workers = 0;
    await page.route("**/compositor-worker*", async (route) => {
      workers += 1;
      if (workers > brokenWorkers) return route.continue();
      const response = await route.fetch();
      await route.fulfill({
        response,
        body: `ReadableStreamDefaultReader.prototype.read = () => new Promise(() => {});\n${await response.text()}`,
      });
    });
    await fakeSources(page, { screen: "mute", camera: "mute" });
    await pressRecord(page, "Screen and camera", () => deliver(page, "camera"));
    await expectRecording(page);
    await expect(missingMessage(page)).toHaveText(messages.screen);
    await deliver(page, "screen");
    await expect(missingMessage(page)).toBeHidden();
    await waitUntilRecorded(page, 3);
    const file = await stopAndDownload(page, info);
    expect((await colorAtEnds(file, "screen")).last).toBeGreaterThan(0.8);
    expect((await colorAtEnds(file, "camera")).last).toBeGreaterThan(0.02);
    await expectTone(file);
    expect(workers).toBe(2);
    await close();
  });
}
