// Recording starts with what there is: a screen, camera, microphone or worker that delivers nothing holds nothing up.
import { writeFile } from "node:fs/promises";
import type { Page, TestInfo } from "@playwright/test";
import { expect, look, test } from "./test.ts";
import { heard, shares, stored } from "./recording.ts";
import { colors, control, deliver } from "./sources.ts";
import { recorded, recorder, studio } from "./studio.ts";

const missing = (page: Page) => page.locator('[data-part="missing"]');
const words = {
  screen:
    "Your screen hasn't sent a picture yet. Recording continues and will show it as soon as it does.",
  camera: "Your camera isn't sending a picture. You're recording without it.",
  cameraAlone:
    "Your camera hasn't sent a picture yet. Recording continues and will show it as soon as it does.",
  both: "Your screen and your camera haven't sent a picture yet. Recording continues and will show them as soon as they do.",
  sound: "No sound is arriving, so you're recording without sound.",
};

/** Chooses what to record and presses Record; `between` runs in between. */
async function press(
  page: Page,
  source: string,
  between: () => Promise<void> = async () => {},
): Promise<void> {
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: source, exact: true }).check();
  await between();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
}

const runs = (page: Page) =>
  expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });

/** Stops, and answers the path of what the server stored. */
async function stop(page: Page, info: TestInfo): Promise<string> {
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  const { id, bytes } = await stored(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!);
  const file = info.outputPath(`${id}.webm`);
  await writeFile(file, bytes);
  return file;
}

/** The share of the pictures of a file that a colour takes in its first and in its last one. */
async function ends(
  file: string,
  source: "screen" | "camera",
): Promise<{ first: number; last: number }> {
  const all = await shares(file, colors[source]);
  return { first: all[0]!, last: all.at(-1)! };
}

async function expectTone(file: string): Promise<void> {
  const { seconds, tone } = await heard(file);
  expect(seconds).toBeGreaterThan(1);
  expect(tone).toBeGreaterThan(0.5);
}

test("a screen without a frame does not hold up the camera, and joins when its first frame comes", async ({
  playwright,
  hearback,
}, info) => {
  const [sara] = await hearback.people("Sara Stall");
  const { page, close } = await studio(playwright, hearback, sara!);
  await control(page, { screen: "mute", camera: "mute" });
  await press(page, "Screen and camera", () => deliver(page, "camera"));
  await runs(page);
  await expect(missing(page)).toHaveText(words.screen);
  await expect(page.locator("#announcements")).toHaveText(`Recording. ${words.screen}`);
  await recorded(page, 2);
  // From the top: in a picture of the whole page the bar stands wherever it was scrolled to.
  await page.evaluate(() => scrollTo(0, 0));
  await look(page, "recorder-missing");
  await deliver(page, "screen");
  await expect(missing(page)).toBeHidden();
  await expect(page.locator("#announcements")).toHaveText(
    "Everything you chose is being recorded now.",
  );
  await recorded(
    page,
    Number((await page.locator('[data-part="time"]').textContent())!.split(":")[1]) + 2,
  );
  const file = await stop(page, info);
  const [screen, camera] = [await ends(file, "screen"), await ends(file, "camera")];
  expect(screen.first).toBeLessThan(0.01);
  expect(screen.last).toBeGreaterThan(0.8);
  expect(Math.min(camera.first, camera.last)).toBeGreaterThan(0.02);
  await expectTone(file);
  await close();
});

test("a camera without a frame does not hold up the screen, and joins when its first frame comes", async ({
  playwright,
  hearback,
}, info) => {
  const [stan] = await hearback.people("Stan Stall");
  const { page, close } = await studio(playwright, hearback, stan!);
  await control(page, { screen: "mute", camera: "mute" });
  await press(page, "Screen and camera");
  await expect(recorder(page)).toHaveAttribute("data-state", "counting");
  await deliver(page, "screen", "once");
  await runs(page);
  await expect(missing(page)).toHaveText(words.camera);
  await recorded(page, 2);
  await deliver(page, "camera");
  await expect(missing(page)).toBeHidden();
  await recorded(page, 4);
  const file = await stop(page, info);
  const [screen, camera] = [await ends(file, "screen"), await ends(file, "camera")];
  expect(Math.min(screen.first, screen.last)).toBeGreaterThan(0.8);
  expect(camera.first).toBeLessThan(0.01);
  expect(camera.last).toBeGreaterThan(0.02);
  await expectTone(file);
  await close();
});

test("with neither a frame of the screen nor of the camera the sound is recorded", async ({
  playwright,
  hearback,
}, info) => {
  const [sina] = await hearback.people("Sina Stall");
  const { page, close } = await studio(playwright, hearback, sina!);
  await control(page, { screen: "mute", camera: "mute" });
  await press(page, "Screen and camera");
  await runs(page);
  await expect(missing(page)).toHaveText(words.both);
  await recorded(page, 3);
  const file = await stop(page, info);
  expect(Math.min(...(await shares(file, [0, 0, 0])))).toBeGreaterThan(0.99);
  await expectTone(file);
  await close();
});

for (const [source, name, text] of [
  ["screen", "Screen", words.screen],
  ["camera", "Camera", words.cameraAlone],
] as const) {
  test(`a ${source} that is recorded alone may send its first frame late`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sven] = await hearback.people(`Sven ${name}`);
    const { page, close } = await studio(playwright, hearback, sven!);
    await control(page, { [source]: "mute" });
    await press(page, name);
    await runs(page);
    await expect(missing(page)).toHaveText(text);
    await recorded(page, 2);
    await deliver(page, source);
    await expect(missing(page)).toBeHidden();
    await recorded(page, 4);
    const file = await stop(page, info);
    const { first, last } = await ends(file, source);
    expect(first).toBeLessThan(0.01);
    expect(last).toBeGreaterThan(0.7);
    await expectTone(file);
    await close();
  });
}

test("a screen that sends one frame and no more is recorded", async ({
  playwright,
  hearback,
}, info) => {
  const [suse] = await hearback.people("Suse Stall");
  const { page, close } = await studio(playwright, hearback, suse!);
  await control(page, { screen: "mute" });
  await press(page, "Screen");
  await expect(recorder(page)).toHaveAttribute("data-state", "counting");
  await deliver(page, "screen", "once");
  await runs(page);
  await recorded(page, 3);
  const file = await stop(page, info);
  const { first, last } = await ends(file, "screen");
  expect(Math.min(first, last)).toBeGreaterThan(0.8);
  await expectTone(file);
  await close();
});

for (const [behaviour, name] of [
  ["silent", "is silent"],
  ["mute", "delivers nothing"],
] as const) {
  test(`a microphone that ${name} does not hold up the picture`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sid] = await hearback.people(`Sid ${behaviour}`);
    const { page, close } = await studio(playwright, hearback, sid!);
    await control(page, { screen: "mute", microphone: behaviour });
    await press(page, "Screen");
    await expect(recorder(page)).toHaveAttribute("data-state", "counting");
    await deliver(page, "screen");
    await runs(page);
    await recorded(page, 3);
    await expect(missing(page)).toBeHidden();
    const file = await stop(page, info);
    expect((await ends(file, "screen")).last).toBeGreaterThan(0.8);
    expect((await heard(file)).seconds).toBeGreaterThan(1);
    await close();
  });
}

for (const [hides, where] of [
  [false, "where nothing is mixed"],
  [true, "where nothing is mixed and pages cannot read frames"],
] as const) {
  test(`${where}, a microphone that delivers nothing is left out, and the page says so`, async ({
    playwright,
    hearback,
  }, info) => {
    const [siv] = await hearback.people(`Siv Stall ${hides}`);
    const { page, context, close } = await studio(playwright, hearback, siv!);
    // As in browsers that have nothing to play sound with.
    await context.addInitScript(() => {
      AudioContext.prototype.resume = () => new Promise(() => {});
      Object.defineProperty(AudioContext.prototype, "state", { get: () => "suspended" });
    });
    // A recorder that waits for the microphone would be given up after seconds and replaced.
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
    await control(page, { screen: "mute", microphone: "mute" }, { hidesFrames: hides });
    await press(page, "Screen");
    await runs(page);
    await expect(missing(page)).toHaveText(`${words.screen} ${words.sound}`);
    await deliver(page, "screen");
    await expect(missing(page)).toHaveText(words.sound);
    await expect(page.locator("html")).toHaveAttribute("data-recorders", "1");
    await recorded(page, 3);
    expect((await ends(await stop(page, info), "screen")).last).toBeGreaterThan(0.8);
    await close();
  });
}

test("where pages cannot read frames, sources that deliver late are recorded as soon as they do", async ({
  playwright,
  hearback,
}, info) => {
  const [sam] = await hearback.people("Sam Stall");
  const { page, close } = await studio(playwright, hearback, sam!);
  await control(page, { screen: "mute", camera: "mute" }, { hidesFrames: true });
  await press(page, "Screen and camera");
  await runs(page);
  await expect(missing(page)).toHaveText(words.both);
  await recorded(page, 2);
  await deliver(page, "screen");
  await deliver(page, "camera");
  await expect(missing(page)).toBeHidden();
  await recorded(page, 4);
  const file = await stop(page, info);
  const [screen, camera] = [await ends(file, "screen"), await ends(file, "camera")];
  expect(Math.max(screen.first, camera.first)).toBeLessThan(0.01);
  expect(screen.last).toBeGreaterThan(0.8);
  expect(camera.last).toBeGreaterThan(0.02);
  await expectTone(file);
  await close();
});

for (const [how, name] of [
  ["fails", "fails to load"],
  ["waits", "loads late"],
] as const) {
  test(`a compositor worker that ${name} does not hold up a recording of screen and camera`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sol] = await hearback.people(`Sol ${how}`);
    const { page, close } = await studio(playwright, hearback, sol!);
    let load!: () => void;
    const gate = new Promise<void>((resolve) => (load = resolve));
    await page.route("**/compositor-worker*", async (route) => {
      if (how === "fails") return route.abort();
      await gate;
      await route.continue();
    });
    await control(page, { screen: "mute", camera: "mute" });
    await press(page, "Screen and camera", () => deliver(page, "camera"));
    await runs(page);
    await expect(missing(page)).toHaveText(words.screen);
    load();
    await deliver(page, "screen");
    await expect(missing(page)).toBeHidden();
    await recorded(page, 3);
    const file = await stop(page, info);
    expect((await ends(file, "screen")).last).toBeGreaterThan(0.8);
    expect((await ends(file, "camera")).last).toBeGreaterThan(0.02);
    await expectTone(file);
    await close();
  });
}

for (const [times, name] of [
  [1, "is replaced by another"],
  [Infinity, "is replaced by the page"],
] as const) {
  test(`a compositor worker that gets no frames ${name}`, async ({
    playwright,
    hearback,
  }, info) => {
    const [sue] = await hearback.people(`Sue ${times}`);
    const { page, close } = await studio(playwright, hearback, sue!);
    let workers = 0;
    await page.route("**/compositor-worker*", async (route) => {
      workers += 1;
      if (workers > times) return route.continue();
      const answer = await route.fetch();
      await route.fulfill({
        response: answer,
        body: `ReadableStreamDefaultReader.prototype.read = () => new Promise(() => {});\n${await answer.text()}`,
      });
    });
    await control(page, { screen: "mute", camera: "mute" });
    await press(page, "Screen and camera", () => deliver(page, "camera"));
    await runs(page);
    await expect(missing(page)).toHaveText(words.screen);
    await deliver(page, "screen");
    await expect(missing(page)).toBeHidden();
    await recorded(page, 3);
    const file = await stop(page, info);
    expect((await ends(file, "screen")).last).toBeGreaterThan(0.8);
    expect((await ends(file, "camera")).last).toBeGreaterThan(0.02);
    await expectTone(file);
    expect(workers).toBe(2);
    await close();
  });
}
