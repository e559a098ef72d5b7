// Helpers for the tests of interrupted recordings. They measure the sound and the picture of the recovered recording.
import type { Browser, Page, TestInfo } from "@playwright/test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  fetchStoredMedia,
  measureTone,
  measureVideoSeconds,
  RecordingBrowser,
  sha256,
  TONE_HZ,
} from "./recording.ts";
import { expect, Hearback, person, signIn, test as base, type Person } from "./test.ts";

/** `studio` is a browser in which a new account is signed in. */
export const test = base.extend<{ server: Hearback; account: Person; studio: RecordingBrowser }>({
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

export const offers = (page: Page) => page.locator("unfinished-recordings .unfinished-recording");

/** Parses an offer such as "2:14 recorded, 2:11 safe on the server." into seconds. */
export async function readOffer(page: Page): Promise<{ recorded: number; safe: number }> {
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
export async function continueUpload(page: Page): Promise<string> {
  await offers(page)
    .getByRole("button", { name: /^(Continue the upload|Finish)$/ })
    .click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  await expect(offers(page)).toHaveCount(0);
  await expect(page.locator("#main")).toBeFocused();
  return /updates\/([0-9a-z]+)/.exec(page.url())![1]!;
}

/**
 * Expects the stored file and the recorded chunks to have the same bytes, up to the end of the shorter one. The sound
 * must last at least `minSeconds`. The picture may be up to one second shorter than that.
 */
export async function expectComplete(
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

/** Stops the recorder and returns the id of the draft once everything is uploaded. */
export async function stopRecording(page: Page): Promise<string> {
  await page.locator("[data-do=stop]").click();
  await expect(page.locator("[data-do=open]")).toBeVisible();
  return /updates\/([0-9a-z]+)/.exec(page.url())![1]!;
}

/**
 * Publishes the draft. Expects that another person can play the recording with its sound and can
 * seek in it.
 */
export async function publishAndPlay(
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
