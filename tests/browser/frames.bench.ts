// Measures the frame rate of recordings at 1080p: with the recorder's tab visible or hidden, and with the screen alone
// or with the camera in a bubble. The recorder captures another tab with a constant animation. The frames are counted
// in the file on the server. HEARBACK_BENCH_TIMES is the number of rounds (3 by default). Each round measures all
// cases, so that other load affects them equally.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { chromium, expect, test, type Page } from "@playwright/test";
import { chromiumArgs, executablePath } from "./playwright.config.ts";
import { fetchStoredMedia } from "./recording.ts";
import { Hearback } from "./server.ts";
import { signIn } from "./test.ts";

const run = promisify(execFile);
const times = Number(process.env.HEARBACK_BENCH_TIMES ?? 3);
const seconds = 10;

const slides = `data:text/html,<title>Slides</title><style>body{margin:0;height:100vh;background:wheat}
i{position:absolute;top:40%25;width:200px;height:200px;background:brown;animation:go 2s linear infinite alternate}@keyframes go{to{transform:translateX(1600px)}}</style><i></i>`;

interface Measured {
  /** `rate` is in frames per second. `gap` is the longest time between two frames, in milliseconds. */
  rate: number;
  gap: number;
  /** How many times per second the browser rendered the recorder's page: about 0 if the page was hidden. */
  drawn: number;
}

test("frames per second of recordings", async ({}, info) => {
  const server = await Hearback.start("frames");
  const [who] = await server.addPeople("Fred");
  const context = await chromium.launchPersistentContext(info.outputPath("profile"), {
    executablePath,
    baseURL: server.url,
    permissions: ["camera", "microphone"],
    viewport: { width: 1920, height: 1080 },
    // Remove flags that Playwright sets but users' browsers do not have: they mute the sound and
    // keep hidden tabs awake.
    ignoreDefaultArgs: [
      "--mute-audio",
      "--disable-background-timer-throttling",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
    ],
    args: [
      ...chromiumArgs,
      "--use-fake-device-for-media-stream",
      "--auto-select-tab-capture-source-by-title=Slides",
    ],
  });
  const shown = await context.newPage();
  await shown.goto(slides);
  const page = await context.newPage();
  await signIn(page, who!, "/updates/new");

  const kinds = [
    ["screen", false],
    ["screen", true],
    ["both", false],
    ["both", true],
  ] as const;
  const rounds: Measured[][] = [];
  for (let round = 0; round < times; round += 1) {
    const measured: Measured[] = [];
    for (const [source, hidden] of kinds)
      measured.push(await measure(page, shown, source, hidden, info.outputPath("recorded")));
    rounds.push(measured);
  }
  console.log(
    "\n| 1080p, the tab that records | frames a second, median (least to most) | longest gap | the page drawn |",
  );
  for (const [index, [source, hidden]] of kinds.entries()) {
    const all = rounds.map((round) => round[index]!);
    const rates = all.map(({ rate }) => rate).sort((a, b) => a - b);
    const numbers = (values: number[]) => `${Math.round(Math.max(...values))}`;
    console.log(
      `| ${source === "both" ? "screen and bubble" : "screen"}, ${hidden ? "hidden" : "visible"} | ${rates[Math.floor(rates.length / 2)]!.toFixed(1)} (${rates[0]!.toFixed(1)} to ${rates.at(-1)!.toFixed(1)}) | ${numbers(all.map(({ gap }) => gap))} ms | ${numbers(all.map(({ drawn }) => drawn))} a second |`,
    );
  }
  await context.close();
  await server.stop();
});

async function measure(
  page: Page,
  shown: Page,
  source: "screen" | "both",
  hidden: boolean,
  file: string,
): Promise<Measured> {
  await page.bringToFront();
  await page.goto("/updates/new");
  const recorder = page.locator("screen-recorder");
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder.locator(`input[name=source][value=${source}]`).check();
  await expect(recorder.getByText("Microphone works")).toBeVisible();
  await recorder.getByRole("button", { name: "Record", exact: true }).click();
  await expect(recorder).toHaveAttribute("data-state", "recording");
  if (hidden) {
    await shown.bringToFront();
    await lookedAt(page, false);
  }
  const drawn = await page.evaluate(
    (ms) =>
      new Promise<number>((done) => {
        let frames = 0;
        const next = () => {
          frames += 1;
          requestAnimationFrame(next);
        };
        requestAnimationFrame(next);
        setTimeout(() => done((frames * 1000) / ms), ms);
      }),
    seconds * 1000,
  );
  await lookedAt(page, true);
  await page.bringToFront();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  const { bytes } = await fetchStoredMedia(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!);
  await writeFile(file, bytes);
  // Wait until this recording is converted, because its conversion would slow down the next measurement.
  await expect(page.locator(".media-item")).toHaveAttribute("data-state", "ready", {
    timeout: 300_000,
  });
  const { stdout } = await run("ffprobe", [
    "-v",
    "error",
    "-select_streams",
    "v",
    "-show_entries",
    "packet=pts_time",
    "-of",
    "csv=p=0",
    file,
  ]);
  const at = stdout
    .trim()
    .split("\n")
    .map(parseFloat)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  const gaps = at.slice(1).map((time, index) => time - at[index]!);
  return { rate: gaps.length / (at.at(-1)! - at[0]!), gap: 1000 * Math.max(...gaps), drawn };
}

/**
 * Turns Playwright's focus emulation on or off. While it is on, which is the default, even a page
 * in the background behaves as if it were visible and focused. Playwright has no API for this, so
 * this function uses Playwright's internal protocol session.
 */
async function lookedAt(page: Page, enabled: boolean): Promise<void> {
  interface Driven {
    _connection: {
      toImpl(page: Page): {
        delegate: {
          _mainFrameSession: { _client: { send(method: string, params: object): Promise<void> } };
        };
      };
    };
  }
  await (page as unknown as Driven)._connection
    .toImpl(page)
    .delegate._mainFrameSession._client.send("Emulation.setFocusEmulationEnabled", { enabled });
}
