// Measures how long it takes until a recording plays, over an uplink of 5 Mbit/s, in three cases:
// - `author`: from Stop until the recording plays for its author
// - `recipient`: from Stop until it plays for a recipient, because the author chose "Send as soon as I stop"
// - `usual`, for comparison: from the start of uploading the file recorded in the case `author` as
//   a whole, until it plays
//
// HEARBACK_BENCH_SECONDS lists the lengths of the recordings. HEARBACK_BENCH_RUNS is the number of
// runs for each length, but lengths of ten minutes or more run only once. HEARBACK_BENCH_WAYS lists
// the cases. `usual` is skipped without `author`.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test, type Page } from "@playwright/test";
import { Hearback } from "./server.ts";
import { startSlowProxy, type Uplink } from "./slow-proxy.ts";
import { openStudio } from "./studio.ts";
import { signIn } from "./test.ts";

const lengths = (process.env.HEARBACK_BENCH_SECONDS ?? "10,60,600").split(",").map(Number);
const ways = (process.env.HEARBACK_BENCH_WAYS ?? "author,recipient,usual").split(",");
const runs = Number(process.env.HEARBACK_BENCH_RUNS ?? 3);
const uplink: Uplink = { bytesPerSecond: 625_000, delayMs: 20 };

/** Plays the first video of the page. Returns the timestamp at which playback started. */
function plays(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((done) => {
        const look = () => {
          const video = document.querySelector<HTMLVideoElement>(
            ".media-item video, .medium video",
          );
          if (!video) return;
          clearInterval(looking);
          video.muted = true;
          const moved = () => {
            if (video.currentTime > 0) done(Date.now());
          };
          video.addEventListener("timeupdate", moved);
          void video.play().then(moved);
        };
        const looking = setInterval(look, 10);
      }),
  );
}

async function record(
  page: Page,
  seconds: number,
  send: boolean,
): Promise<{ stop: number; update: string }> {
  await page.goto("/updates/new");
  await page.locator("[data-do=open]").click();
  await page.getByRole("radio", { name: "Camera", exact: true }).check();
  if (send) {
    await page.locator("people-field input:visible").fill("ruth@example.org");
    await page.locator("people-field input:visible").press("Enter");
    await page.locator("[data-part=send]").check();
  }
  await page.locator("[data-do=record]").click();
  await page.waitForFunction(
    () => document.querySelector("screen-recorder")?.getAttribute("data-state") === "recording",
  );
  await page.waitForFunction(
    (until) => {
      const [minutes, rest] = (document.querySelector("[data-part=time]")?.textContent ?? "0:00")
        .split(":")
        .map(Number);
      return (minutes ?? 0) * 60 + (rest ?? 0) >= until;
    },
    seconds,
    { timeout: seconds * 1000 + 60_000 },
  );
  const update = /updates\/([0-9a-z]+)/.exec(page.url())![1]!;
  const stop = Date.now();
  await page.locator("[data-do=stop]").click({ noWaitAfter: true });
  return { stop, update };
}

/** Returns the URL path and query of the recording's original, and its size in bytes. */
async function original(page: Page, update: string): Promise<{ path: string; size: number }> {
  const shown = (await (
    await page.request.get(`/updates/${update}`, { headers: { accept: "application/json" } })
  ).json()) as { media: { renditions: { name: string; url: string; bytes: number }[] }[] };
  const { url, bytes } = shown.media[0]!.renditions.find(({ name }) => name === "original")!;
  const address = new URL(url);
  return { path: `${address.pathname}${address.search}`, size: bytes };
}

/**
 * Measures the case `usual`: uploads the whole recorded file. Returns the milliseconds from the start of the upload
 * until the video plays.
 */
async function whole(page: Page, recorded: string): Promise<number> {
  await page.goto("/updates/new");
  const { began, update } = await page.evaluate(async (recorded) => {
    const body = await (await fetch(recorded)).blob();
    const form = new FormData();
    form.append("media", body, "recorded.webm");
    form.append("title", "The usual way");
    form.append("publish", "false");
    const began = Date.now();
    const made = await fetch("/updates", {
      method: "POST",
      body: form,
      headers: { accept: "application/json" },
    });
    return { began, update: ((await made.json()) as { id: string }).id };
  }, recorded);
  await page.goto(`/updates/${update}/edit`);
  return (await plays(page)) - began;
}

test("time from Stop until the recording plays", async ({ playwright }, info) => {
  const server = await Hearback.start("instant");
  const [ada, ruth] = await server.addPeople("Ada", {
    name: "Ruth",
    email: "ruth@example.org",
    password: "correct horse battery staple",
  });
  const line = await startSlowProxy(server.url, uplink);
  // Give the fake camera a picture with enough noise to use the full bit rate of the recorder.
  const film = info.outputPath("film.mjpeg");
  await promisify(execFile)("ffmpeg", [
    "-v",
    "error",
    "-f",
    "lavfi",
    "-i",
    "testsrc2=size=640x360:rate=30:duration=4,noise=alls=30:allf=t",
    "-q:v",
    "3",
    film,
  ]);
  const author = await openStudio(
    playwright,
    server,
    ada!,
    { args: [`--use-file-for-fake-video-capture=${film}`] },
    "/inbox",
    line.url,
  );
  const reader = await playwright.chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
  const page = await (await reader.newContext({ baseURL: server.url })).newPage();
  await signIn(page, ruth!);
  const rows: string[] = [];
  for (const seconds of lengths) {
    const all: { author: number[]; recipient: number[]; usual: number[]; size: number[] } = {
      author: [],
      recipient: [],
      usual: [],
      size: [],
    };
    for (let run = 0; run < (seconds >= 600 ? Math.min(runs, 1) : runs); run += 1) {
      let recorded: { path: string; size: number } | undefined;
      if (ways.includes("author")) {
        const mine = await record(author.page, seconds, false);
        all.author.push((await plays(author.page)) - mine.stop);
        recorded = await original(author.page, mine.update);
        all.size.push(recorded.size);
      }
      if (ways.includes("recipient")) {
        const sent = await record(author.page, seconds, true);
        await expect
          .poll(
            async () =>
              (
                await page.request.get(`/updates/${sent.update}`, {
                  headers: { accept: "application/json" },
                })
              ).status(),
            { intervals: [20] },
          )
          .toBe(200);
        await page.goto(`/updates/${sent.update}`, { waitUntil: "commit" });
        all.recipient.push((await plays(page)) - sent.stop);
        await author.page.waitForURL((url) => !url.pathname.endsWith("/edit"));
      }
      console.log(seconds, all);
      if (recorded && ways.includes("usual"))
        all.usual.push(await whole(author.page, recorded.path));
    }
    const median = (values: number[]) =>
      values.length === 0
        ? ""
        : `${(values.sort((a, b) => a - b)[values.length >> 1]! / 1000).toFixed(2)} s (${values.map((value) => (value / 1000).toFixed(2)).join(", ")})`;
    const size = (all.size.sort((a, b) => a - b)[all.size.length >> 1] ?? 0) / 1e6;
    rows.push(
      `| ${seconds} s, ${size.toFixed(1)} MB | ${median(all.author)} | ${median(all.recipient)} | ${median(all.usual)} |`,
    );
  }
  console.log(
    [
      "| recording | plays for its author | for a recipient | the usual way |",
      "| --- | --- | --- | --- |",
      ...rows,
    ].join("\n"),
  );
  line.close();
  await reader.close();
  await author.close();
  await server.stop();
});
