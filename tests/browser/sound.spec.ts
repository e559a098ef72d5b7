// What is heard in a recording: the microphone and the tab that is shared, each by its tone.
import { writeFile } from "node:fs/promises";
import type { Page, TestInfo } from "@playwright/test";
import { heard, stored } from "./recording.ts";
import { expect, test } from "./test.ts";
import { studio } from "./studio.ts";

const [voice, music] = [1000, 440];
const part = (page: Page, name: string) => page.locator(`screen-recorder [data-part="${name}"]`);

/** Records some seconds after `choose`, and answers the file. */
async function recorded(page: Page, info: TestInfo, choose: () => Promise<void>): Promise<string> {
  await page.goto("/updates/new");
  await page.getByRole("button", { name: /^Record/ }).click();
  await expect(part(page, "microphone").locator("option")).not.toHaveCount(1);
  await choose();
  await page
    .locator("screen-recorder")
    .getByRole("button", { name: "Record", exact: true })
    .click();
  await expect(part(page, "time")).toHaveText(/0:0[4-9]/, { timeout: 30_000 });
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  const { id, bytes } = await stored(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!);
  const file = info.outputPath(`${id}.webm`);
  await writeFile(file, bytes);
  return file;
}

async function tones(file: string): Promise<{ voice: number; music: number }> {
  return { voice: (await heard(file, voice)).tone, music: (await heard(file, music)).tone };
}

test("the microphone and the tab that is shared are heard together, each alone, or neither", async ({
  playwright,
  hearback,
}, info) => {
  test.setTimeout(180_000);
  const [sol] = await hearback.people("Sol");
  const { page, context, close } = await studio(playwright, hearback, sol!, {
    tone: voice,
    tab: "The tab with music",
    args: ["--autoplay-policy=no-user-gesture-required"],
  });
  // A tone that goes on is an echo to the browser's echo canceller as soon as another is played.
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
  const both = await tones(await recorded(page, info, async () => {}));
  expect(both.voice).toBeGreaterThan(0.1);
  expect(both.music).toBeGreaterThan(0.1);
  expect(both.voice + both.music).toBeGreaterThan(0.7);

  const spoken = await tones(await recorded(page, info, () => part(page, "sound").uncheck()));
  expect(spoken.voice).toBeGreaterThan(0.7);
  expect(spoken.music).toBeLessThan(0.01);

  const played = await tones(
    await recorded(page, info, async () => {
      await part(page, "sound").check();
      await part(page, "microphone").selectOption("No microphone");
    }),
  );
  expect(played.music).toBeGreaterThan(0.7);
  expect(played.voice).toBeLessThan(0.01);

  // That choice stays: with the sound of the tab off too, there is no sound to decode.
  const silent = await recorded(page, info, () => part(page, "sound").uncheck());
  await expect(heard(silent)).rejects.toThrow(/does not contain any stream/);
  await close();
});

test("a browser that does not mix records the microphone itself", async ({
  playwright,
  hearback,
}, info) => {
  const [sid] = await hearback.people("Sid");
  const { page, context, close } = await studio(playwright, hearback, sid!, { tone: voice });
  // As in Firefox on a computer without a loudspeaker.
  await context.addInitScript(() => {
    AudioContext.prototype.resume = () => new Promise(() => {});
    Object.defineProperty(AudioContext.prototype, "state", { get: () => "suspended" });
  });
  const file = await recorded(page, info, () =>
    expect(part(page, "heard")).toHaveText(/^Your microphone is recorded/),
  );
  expect((await heard(file, voice)).tone).toBeGreaterThan(0.7);
  await close();
});

test("whether what is kept may stay is asked before it records", async ({
  playwright,
  hearback,
}) => {
  const [sue] = await hearback.people("Sue");
  const { page, context, close } = await studio(playwright, hearback, sue!);
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
  await expect(part(page, "time")).toHaveText(/0:0[1-9]/, { timeout: 30_000 });
  expect(await states()).toEqual(["set"]);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  await close();
});
