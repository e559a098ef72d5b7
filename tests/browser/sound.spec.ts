// The sound in recordings. The microphone and the shared tab play different tones, which the tests measure.
import { writeFile } from "node:fs/promises";
import type { Page, TestInfo } from "@playwright/test";
import { measureTone, fetchStoredMedia } from "./recording.ts";
import { expect, test } from "./test.ts";
import { openStudio, waitUntilRecorded } from "./studio.ts";

const [voice, music] = [1000, 440];
const recorderPart = (page: Page, name: string) =>
  page.locator(`screen-recorder [data-part="${name}"]`);

/** Opens the recorder, calls `choose`, records at least four seconds and returns the path of the downloaded file. */
async function recordFile(
  page: Page,
  info: TestInfo,
  choose: () => Promise<void>,
): Promise<string> {
  await page.goto("/updates/new");
  await page.getByRole("button", { name: /^Record/ }).click();
  await expect(recorderPart(page, "microphone").locator("option")).not.toHaveCount(1);
  await choose();
  await page
    .locator("screen-recorder")
    .getByRole("button", { name: "Record", exact: true })
    .click();
  await waitUntilRecorded(page, 4);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  const { id, bytes } = await fetchStoredMedia(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!);
  const file = info.outputPath(`${id}.webm`);
  await writeFile(file, bytes);
  return file;
}

async function measureTones(file: string): Promise<{ voice: number; music: number }> {
  return {
    voice: (await measureTone(file, voice)).tone,
    music: (await measureTone(file, music)).tone,
  };
}

test("a recording can contain microphone sound, tab audio, both or neither", async ({
  playwright,
  hearback,
}, info) => {
  test.setTimeout(180_000);
  const [sol] = await hearback.addPeople("Sol");
  const { page, context, close } = await openStudio(playwright, hearback, sol!, {
    toneHz: voice,
    sharedTabTitle: "The tab with music",
    args: ["--autoplay-policy=no-user-gesture-required"],
  });
  // Switch off the processing of the microphone's sound, because echo cancellation would remove a
  // constant tone while the tab plays another tone.
  await context.addInitScript(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    const real = media?.getUserMedia.bind(media);
    if (media && real)
      media.getUserMedia = ({ audio, ...rest } = {}) =>
        real(
          audio
            ? {
                audio: {
                  ...(audio as MediaTrackConstraints),
                  echoCancellation: false,
                  noiseSuppression: false,
                  autoGainControl: false,
                },
              }
            : rest,
        );
  });
  const other = await context.newPage();
  await other.setContent("<title>The tab with music</title><h1>Music</h1>");
  await other.evaluate((hertz) => {
    const sound = new AudioContext();
    const tone = new OscillatorNode(sound, { frequency: hertz });
    tone.connect(new GainNode(sound, { gain: 0.3 })).connect(sound.destination);
    tone.start();
  }, music);
  await page.bringToFront();
  const both = await measureTones(await recordFile(page, info, async () => {}));
  expect(both.voice).toBeGreaterThan(0.1);
  expect(both.music).toBeGreaterThan(0.1);
  expect(both.voice + both.music).toBeGreaterThan(0.7);

  const spoken = await measureTones(
    await recordFile(page, info, () => recorderPart(page, "sound").uncheck()),
  );
  expect(spoken.voice).toBeGreaterThan(0.7);
  expect(spoken.music).toBeLessThan(0.01);

  const played = await measureTones(
    await recordFile(page, info, async () => {
      await recorderPart(page, "sound").check();
      await recorderPart(page, "microphone").selectOption("No microphone");
    }),
  );
  expect(played.music).toBeGreaterThan(0.7);
  expect(played.voice).toBeLessThan(0.01);

  // The page remembers "No microphone". Because tab audio is now off as well, the file has no audio stream.
  const silent = await recordFile(page, info, () => recorderPart(page, "sound").uncheck());
  await expect(measureTone(silent)).rejects.toThrow(/does not contain any stream/);
  await close();
});

test("the microphone is recorded directly if the browser cannot mix sound", async ({
  playwright,
  hearback,
}, info) => {
  const [sid] = await hearback.addPeople("Sid");
  const { page, context, close } = await openStudio(playwright, hearback, sid!, { toneHz: voice });
  // Firefox behaves like this on a computer without a loudspeaker.
  await context.addInitScript(() => {
    AudioContext.prototype.resume = () => new Promise(() => {});
    Object.defineProperty(AudioContext.prototype, "state", { get: () => "suspended" });
  });
  const file = await recordFile(page, info, () =>
    expect(recorderPart(page, "heard")).toHaveText(/^Your microphone is being recorded/),
  );
  expect((await measureTone(file, voice)).tone).toBeGreaterThan(0.7);
  await close();
});

test("the page requests persistent storage before it records", async ({ playwright, hearback }) => {
  const [sue] = await hearback.addPeople("Sue");
  const { page, context, close } = await openStudio(playwright, hearback, sue!);
  await context.addInitScript(() => {
    const states: (string | undefined)[] = [];
    Object.assign(window, { states });
    StorageManager.prototype.persist = () => {
      states.push(document.querySelector<HTMLElement>("screen-recorder")?.dataset["state"]);
      return Promise.resolve(false);
    };
  });
  await page.goto("/updates/new");
  await page.getByRole("button", { name: /^Record/ }).click();
  const states = () => page.evaluate(() => (window as unknown as { states: string[] }).states);
  await expect.poll(states).toEqual(["set"]);
  await page
    .locator("screen-recorder")
    .getByRole("button", { name: "Record", exact: true })
    .click();
  await waitUntilRecorded(page, 1);
  expect(await states()).toEqual(["set"]);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  await close();
});
