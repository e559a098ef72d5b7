// A browser that can record without prompts. It shares a tab immediately, and has a fake camera and microphone.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  expect,
  type BrowserContext,
  type Page,
  type PlaywrightWorkerArgs,
} from "@playwright/test";
import { chromiumArgs, executablePath } from "./playwright.config.ts";
import { checkPage, type Hearback, type Person, signIn } from "./test.ts";

export interface Studio {
  context: BrowserContext;
  page: Page;
  close: () => Promise<void>;
}

export interface StudioOptions {
  /** The frequency of the microphone's tone in hertz. 0 is silence. The default is 440. */
  toneHz?: number;
  /** The title of the tab to share. By default, the page shares its own tab. */
  sharedTabTitle?: string;
  /** Whether the browser refuses to share the screen. */
  refusesScreen?: boolean;
  /** The permissions of the pages. The default is camera, microphone and clipboard. */
  permissions?: string[];
  /** More command-line arguments for Chromium. */
  args?: string[];
}

/** Launches the browser, signs in if there is an account, and opens the page `path`. */
export async function openStudio(
  playwright: PlaywrightWorkerArgs["playwright"],
  server: Hearback,
  account: Person | null,
  options: StudioOptions = {},
  path = "/updates/new",
  baseURL = server.url,
): Promise<Studio> {
  const folder = await mkdtemp(join(tmpdir(), "hearback-studio-"));
  const sound = join(folder, "sound.wav");
  await writeFile(sound, toneWav(options.toneHz ?? 440));
  const shareArg = options.sharedTabTitle
    ? `--auto-select-tab-capture-source-by-title=${options.sharedTabTitle}`
    : options.refusesScreen
      ? "--auto-reject-this-tab-capture"
      : "--auto-accept-this-tab-capture";
  const browser = await playwright.chromium.launch({
    executablePath,
    ignoreDefaultArgs: ["--mute-audio"],
    args: [
      ...chromiumArgs,
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${sound}`,
      shareArg,
      ...(options.args ?? []),
    ],
  });
  const context = await browser.newContext({
    baseURL,
    permissions: options.permissions ?? [
      "camera",
      "microphone",
      "clipboard-read",
      "clipboard-write",
    ],
  });
  // Chromium applies `shareArg` only to requests that prefer the page's own tab, so make all requests prefer it.
  if (!options.sharedTabTitle)
    await context.addInitScript(() => {
      const media = navigator.mediaDevices as MediaDevices | undefined;
      const real = media?.getDisplayMedia?.bind(media);
      if (media && real)
        media.getDisplayMedia = (options) =>
          real({ ...options, preferCurrentTab: true } as DisplayMediaStreamOptions);
    });
  const page = await context.newPage();
  if (account) await signIn(page, account, path);
  else await page.goto(path);
  const close = async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { context, page, close };
}

/** Returns two seconds of a tone as a WAV file: mono, 16-bit, 48 kHz. */
export function toneWav(hertz: number): Buffer {
  const rate = 48_000;
  const samples = Buffer.alloc(2 * 2 * rate);
  for (let n = 0; n < 2 * rate; n += 1)
    samples.writeInt16LE(Math.round(12_000 * Math.sin((2 * Math.PI * hertz * n) / rate)), 2 * n);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(2 * rate, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

export const recorder = (page: Page) => page.locator("screen-recorder");
/** Returns the element in which the recorder shows the recorded time. */
export const recordedTime = (page: Page) => page.locator('[data-part="time"]');
/** Waits until at least this many seconds are recorded. */
export const waitUntilRecorded = (page: Page, seconds: number) =>
  expect
    .poll(async () => Number((await recordedTime(page).textContent())?.split(":")[1]), {
      timeout: 30_000,
    })
    .toBeGreaterThanOrEqual(seconds);

/** Chooses a source, starts the recording and waits until it is running. */
export async function startRecording(page: Page, source = "Screen"): Promise<void> {
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: source, exact: true }).check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
}

/** Makes the frames of the captured screen arrive `ms` milliseconds late. */
export const delayCapture = (page: Page, ms: number) =>
  page.evaluate((ms) => {
    const media = navigator.mediaDevices;
    const display = media.getDisplayMedia.bind(media);
    media.getDisplayMedia = async (options) => {
      const [screen] = (await display(options)).getVideoTracks();
      const delayed = new MediaStreamTrackGenerator({ kind: "video" });
      const writer = delayed.writable.getWriter();
      const write = (image: ImageBitmap) =>
        void writer.write(new VideoFrame(image, { timestamp: performance.now() * 1000 }));
      const delay = async () => {
        for await (const frame of new MediaStreamTrackProcessor({ track: screen! }).readable) {
          const image = await createImageBitmap(frame);
          frame.close();
          setTimeout(() => write(image), ms);
        }
      };
      void delay();
      const { getSettings, getCaptureHandle } = screen as unknown as Record<string, () => unknown>;
      Object.assign(delayed, {
        getSettings: getSettings!.bind(screen),
        getCaptureHandle: getCaptureHandle!.bind(screen),
      });
      return new MediaStream([delayed]);
    };
  }, ms);

/**
 * Returns a function that unplugs a source of the page: `"audio"`, `"video"` (the camera) or `"screen"`. Call
 * `interceptTracks` before the page requests its sources.
 */
export async function interceptTracks(page: Page): Promise<(kind: string) => Promise<void>> {
  await page.evaluate(() => {
    const media = navigator.mediaDevices;
    const tracks: [string, MediaStreamTrack][] = [];
    Object.assign(window, { tracks });
    const [camera, screen] = [media.getUserMedia.bind(media), media.getDisplayMedia.bind(media)];
    media.getUserMedia = async (constraints) => {
      const stream = await camera(constraints);
      for (const track of stream.getTracks()) tracks.push([track.kind, track]);
      return stream;
    };
    media.getDisplayMedia = async (options) => {
      const stream = await screen(options);
      for (const track of stream.getVideoTracks()) tracks.push(["screen", track]);
      return stream;
    };
  });
  return (kind) =>
    page.evaluate((kind) => {
      const { tracks } = window as unknown as { tracks: [string, MediaStreamTrack][] };
      for (const [trackKind, track] of tracks) {
        if (trackKind !== kind || track.readyState !== "live") continue;
        track.stop();
        track.dispatchEvent(new Event("ended"));
      }
    }, kind);
}

/**
 * Like `checkPage`, but scrolls to the top first, because the sticky recorder bar would cover the
 * middle of a full-page screenshot.
 */
export async function checkPageFromTop(page: Page, name: string): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0));
  await checkPage(page, name);
}
