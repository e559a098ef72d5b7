// Makes the recordings and pictures of the sample and of the demo from the pages in this folder. `bin/make-media` runs
// it. Arguments: the names of the media to make; without names, all of them.
//
// A page contains the narration of a recording (`<say>`, one line each) and its picture. Each line is spoken, and the
// page is then photographed frame by frame, at the times that follow from the lengths of the spoken lines.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { speak } from "./voice.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(join(here, "../../tests/browser/package.json"))(
  "@playwright/test",
);
const FRAME_RATE = 12;
const NARRATION = join(here, "../demo/narration.json");

const wanted = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.HEADLESS_SHELL ?? "/usr/bin/chromium-headless-shell",
  args: ["--no-sandbox", "--force-color-profile=srgb"],
});
for (const path of pages("pictures")) await makePicture(path);
for (const path of pages("recordings")) await makeRecording(path);
await browser.close();

/** The pages in a folder that are wanted. */
function pages(folder) {
  const names = readdirSync(join(here, folder)).filter((name) => name.endsWith(".html"));
  return names
    .filter((name) => wanted.length === 0 || wanted.includes(basename(name, ".html")))
    .map((name) => join(here, folder, name));
}

/** Where the result belongs: the sample has a recording of its own, everything else belongs to the demo. */
function target(path, extension) {
  const name = basename(path, ".html");
  return join(here, "..", name === "welcome" ? "." : "demo", `${name}.${extension}`);
}

async function open(path, scale) {
  const page = await browser.newPage({ deviceScaleFactor: scale });
  await page.goto(pathToFileURL(path).href);
  const size = await page.evaluate(() => [document.body.offsetWidth, document.body.offsetHeight]);
  await page.setViewportSize({ width: size[0], height: size[1] });
  const missing = await page.evaluate(async () => {
    await document.fonts.ready;
    return [...document.fonts]
      .filter(({ status }) => status === "error")
      .map(({ family }) => family);
  });
  if (missing.length > 0)
    throw new Error(`${path}: a font cannot be loaded: ${missing.join(", ")}`);
  return page;
}

async function makePicture(path) {
  const page = await open(path, 1.25);
  const picture = target(path, "png");
  await page.screenshot({ path: picture });
  await page.close();
  report(picture);
}

async function makeRecording(path) {
  const page = await open(path, 1);
  const [voice, lines] = await page.evaluate(() => [
    document.documentElement.dataset.voice,
    [...document.querySelectorAll("say")].map((line) =>
      line.textContent.replace(/\s+/g, " ").trim(),
    ),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "hearback-media-"));
  const { starts, ends, length, sound } = speak(lines, voice, folder);
  await page.evaluate(([starts, ends]) => window.prepare(starts, ends), [starts, ends]);
  const video = target(path, "mp4");
  await encode(page, length, sound, video);
  rmSync(folder, { recursive: true });
  await page.close();
  report(video, `${length.toFixed(1)} s`);
  if (basename(path) !== "welcome.html") note(basename(path, ".html"), lines, starts, length);
}

/** Photographs the page and sends the frames to ffmpeg. A frame that looks like the previous one is sent again. */
async function encode(page, length, sound, video) {
  const encoder = spawn(
    "ffmpeg",
    [
      ...[
        "-hide_banner",
        "-loglevel",
        "error",
        "-y",
        "-f",
        "image2pipe",
        "-framerate",
        FRAME_RATE,
        "-i",
        "-",
      ],
      ...["-i", sound, "-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"],
      ...["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"],
      ...[
        "-c:v",
        "libx264",
        "-profile:v",
        "high",
        "-preset",
        "slower",
        "-tune",
        "animation",
        "-crf",
        "25",
      ],
      ...[
        "-g",
        FRAME_RATE * 5,
        "-c:a",
        "aac",
        "-b:a",
        "40k",
        "-ac",
        "1",
        "-movflags",
        "+faststart",
      ],
      ...[
        "-map_metadata",
        "-1",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
        "-flags:a",
        "+bitexact",
        video,
      ],
    ].map(String),
    { stdio: ["pipe", "inherit", "inherit"] },
  );
  const ended = new Promise((resolve, reject) => {
    encoder.on("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`ffmpeg ended with ${code}`)),
    );
  });
  let [frame, shown] = [null, null];
  for (let number = 0; number < Math.ceil(length * FRAME_RATE); number++) {
    const shows = await page.evaluate((at) => window.seek(at), number / FRAME_RATE);
    if (shows !== shown) frame = await page.screenshot();
    shown = shows;
    if (!encoder.stdin.write(frame))
      await new Promise((resolve) => encoder.stdin.once("drain", resolve));
  }
  encoder.stdin.end();
  await ended;
}

/** Notes what is said when, so that the comments of the demo can point to it. */
function note(name, lines, starts, length) {
  const all = JSON.parse(readFileSync(NARRATION, "utf8"));
  const milliseconds = (seconds) => Math.round(seconds * 1000);
  all[name] = {
    duration_ms: milliseconds(length),
    lines: lines.map((text, number) => ({ at_ms: milliseconds(starts[number]), text })),
  };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(NARRATION, `${JSON.stringify(sorted, null, 2)}\n`);
}

function report(path, more = "") {
  console.log(`${basename(path)}: ${statSync(path).size} bytes ${more}`);
}
