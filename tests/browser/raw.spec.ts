// Videos before they are processed. The raw recording plays at once, and the seekable copy replaces it without
// interrupting playback.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, fixture, Hearback, signIn, test, type Page, type Person } from "./test.ts";
import { apiHeaders } from "./scene.ts";

const run = promisify(execFile);

/**
 * Creates a script that replaces ffmpeg. Its processes wait until `open` is called. `open` waits for the first process,
 * and then lets all processes continue.
 */
async function createGatedFfmpeg(): Promise<{
  ffmpeg: string;
  open: () => Promise<void>;
  remove: () => Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "hearback-gate-"));
  const [ffmpeg, gate] = [join(folder, "ffmpeg"), join(folder, "gate")];
  await run("mkfifo", [gate]);
  await writeFile(
    ffmpeg,
    `#!/bin/sh\ncase "$*" in *" -i "*) [ -p ${gate} ] && read word <${gate};; esac\nexec /usr/bin/ffmpeg "$@"\n`,
    { mode: 0o755 },
  );
  return {
    ffmpeg,
    // Opening a FIFO for writing waits for a reader, so processing has started when this returns.
    open: async () => void (await run("sh", ["-c", `echo go >${gate}; rm ${gate}`])),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

type CreatedUpdate = { id: string; media: { id: string; state: string }[] };

async function publishVideo(page: Page, audience: string): Promise<CreatedUpdate> {
  const media = {
    name: "talk.webm",
    mimeType: "video/webm",
    buffer: await readFile(fixture("rec-vp9-opus-10s.webm")),
  };
  const response = await page.request.post("/updates", {
    headers: apiHeaders,
    multipart: { title: "Raw", audience, publish: "true", media },
  });
  expect(response.status(), await response.text()).toBe(201);
  return (await response.json()) as CreatedUpdate;
}

/** Records when the video pauses, stalls, fails or ends. */
async function recordPlaybackEvents(page: Page): Promise<void> {
  await page.locator(".stage video").evaluate((video: HTMLVideoElement) => {
    const playbackEvents: string[] = [];
    Object.assign(window, { playbackEvents });
    for (const event of ["pause", "waiting", "stalled", "error", "emptied", "ended"])
      video.addEventListener(event, () =>
        playbackEvents.push(`${event} at ${video.currentTime.toFixed(1)}`),
      );
  });
}

const readPlaybackEvents = (page: Page) =>
  page.evaluate(() => (window as unknown as { playbackEvents: string[] }).playbackEvents);
const sourceAddress = (page: Page) =>
  page.locator(".stage video").evaluate((video: HTMLVideoElement) => video.getAttribute("src"));
const playbackState = (page: Page) =>
  page.locator(".stage video").evaluate((video: HTMLVideoElement) => ({
    position: video.currentTime,
    paused: video.paused,
    error: video.error?.message,
    durationKnown: Number.isFinite(video.duration),
  }));

const setPlaybackRate = (page: Page, rate: number) =>
  page.locator(".stage video").evaluate((video: HTMLVideoElement, rate) => {
    video.playbackRate = rate;
  }, rate);

test("playback of a raw recording continues when the seekable copy replaces it", async ({
  browser,
}) => {
  const gate = await createGatedFfmpeg();
  const server = await Hearback.start("raw", { HEARBACK_FFMPEG: gate.ffmpeg });
  try {
    const [rae, ron, rio] = await server.addPeople("Rae Raw", "Ron Raw", "Rio Raw");
    const open = async (account: typeof rae) => {
      const opened = await (await browser.newContext({ baseURL: server.url })).newPage();
      await signIn(opened, account!);
      return opened;
    };
    const author = await open(rae);
    const { id } = await publishVideo(author, `${ron!.email}, ${rio!.email}`);
    const [ronsPage, riosPage] = [await open(ron), await open(rio)];
    for (const viewer of [ronsPage, riosPage]) {
      await viewer.goto(`/updates/${id}`);
      await viewer.locator(".stage video").evaluate((video: HTMLVideoElement) => {
        video.muted = true;
        return video.play();
      });
      await recordPlaybackEvents(viewer);
      // The file has no duration, so the timeline grows while the browser reads it.
      await expect
        .poll(() =>
          viewer
            .locator(".timeline .now")
            .evaluate((line: HTMLElement) => parseFloat(line.style.width)),
        )
        .toBeGreaterThan(0);
      expect((await playbackState(viewer)).durationKnown).toBe(false);
    }
    const raw = await sourceAddress(ronsPage);
    // Slow the video down. On a busy machine, it could otherwise end before the copy is ready.
    await setPlaybackRate(ronsPage, 0.1);
    await gate.open();
    for (const viewer of [ronsPage, riosPage])
      await expect(viewer.locator(".stage video")).toHaveAttribute("data-duration", /^9\d\d\d$/);
    // The page already has the copy's address, but the video continues with the raw file.
    expect(await sourceAddress(ronsPage)).toBe(raw);
    await setPlaybackRate(ronsPage, 1);
    const state = await playbackState(ronsPage);
    expect([state.paused, state.error]).toEqual([false, undefined]);

    // One viewer plays to the end without an interruption.
    await expect
      .poll(async () => (await readPlaybackEvents(ronsPage)).length, { timeout: 15_000 })
      .toBeGreaterThan(0);
    const events = await readPlaybackEvents(ronsPage);
    expect(events[0]).toMatch(/^(pause|ended) at 9\./);
    await expect.poll(() => sourceAddress(ronsPage)).not.toBe(raw);
    // The other viewer seeks, which switches to the new address at that position.
    if ((await playbackState(riosPage)).paused)
      await riosPage.locator(".stage video").evaluate((video: HTMLVideoElement) => video.play());
    await riosPage.locator(".stage video").evaluate((video: HTMLVideoElement) => {
      video.currentTime = 2;
    });
    await expect.poll(() => sourceAddress(riosPage)).not.toBe(raw);
    for (const [viewer, to] of [
      [riosPage, 3],
      [ronsPage, 8],
      [ronsPage, 1],
    ] as const) {
      await expect.poll(async () => (await playbackState(viewer)).durationKnown).toBe(true);
      await viewer.locator(".stage video").evaluate(
        (video: HTMLVideoElement, to: number) =>
          new Promise<void>((done) => {
            video.addEventListener("seeked", () => done(), { once: true });
            video.currentTime = to;
          }),
        to,
      );
      expect((await playbackState(viewer)).position).toBeGreaterThan(to - 0.1);
      expect((await playbackState(viewer)).error).toBeUndefined();
    }
  } finally {
    await server.stop();
    await gate.remove();
  }
});

test("a video with metadata plays for its author at once, and for others once the metadata is removed", async ({
  browser,
}) => {
  const gate = await createGatedFfmpeg();
  const server = await Hearback.start("metadata", { HEARBACK_FFMPEG: gate.ffmpeg });
  const folder = await mkdtemp(join(tmpdir(), "hearback-phone-"));
  try {
    const phone = join(folder, "phone.mp4");
    await run("ffmpeg", [
      "-v",
      "error",
      "-i",
      fixture("count.mp4"),
      "-c",
      "copy",
      "-metadata",
      "title=Kitchen",
      "-metadata",
      "location=+52.5200+013.4050/",
      phone,
    ]);
    const [pia, pat] = await server.addPeople("Pia Phone", "Pat Patient");
    const author = await (await browser.newContext({ baseURL: server.url })).newPage();
    await signIn(author, pia!);
    const media = { name: "phone.mp4", mimeType: "video/mp4", buffer: await readFile(phone) };
    const response = await author.request.post("/updates", {
      headers: apiHeaders,
      multipart: { title: "Phone", audience: pat!.email, publish: "true", media },
    });
    expect(response.status(), await response.text()).toBe(201);
    const { id } = (await response.json()) as CreatedUpdate;
    const recipient = await (await browser.newContext({ baseURL: server.url })).newPage();
    await signIn(recipient, pat!);
    for (const viewer of [author, recipient]) await viewer.goto(`/updates/${id}`);
    await expect
      .poll(() =>
        author.locator(".stage video").evaluate((video: HTMLVideoElement) => video.readyState),
      )
      .toBeGreaterThan(0);
    await expect(recipient.locator(".stage .stand-in")).toHaveText(
      "Processing. This video will play here in a moment.",
    );
    await expect(recipient.locator(".stage video")).toHaveCount(0);
    await gate.open();
    await expect(recipient.locator(".stage video")).toBeVisible();
    await expect
      .poll(() =>
        recipient.locator(".stage video").evaluate((video: HTMLVideoElement) => video.readyState),
      )
      .toBeGreaterThan(0);
  } finally {
    await server.stop();
    await gate.remove();
    await rm(folder, { recursive: true, force: true });
  }
});

test("the page says that a video is still being uploaded, and plays it once the upload is complete", async ({
  page,
  hearback,
  browser,
}) => {
  const [amy, art] = await hearback.addPeople("Amy Arrive", "Art Arrive");
  await signIn(page, amy!);
  const { id, url } = await beginRecording(page);
  await publish(page, id, art!);
  const recipient = await (await browser.newContext({ baseURL: hearback.url })).newPage();
  await signIn(recipient, art!);
  await recipient.goto(`/updates/${id}`);
  await expect(recipient.locator(".stage .stand-in")).toContainText("Still uploading");
  const bytes = await readFile(fixture("rec-vp8-opus-3s.webm"));
  await append(page, url, 0, bytes, bytes.length);
  await expect(recipient.locator(".stage video")).toBeVisible();
  await expect
    .poll(() =>
      recipient.locator(".stage video").evaluate((video: HTMLVideoElement) => video.readyState),
    )
    .toBeGreaterThan(0);
});

test("a recording is not discarded if the page cannot find out whether it was sent", async ({
  page,
  hearback,
}) => {
  const [adam, anna] = await hearback.addPeople("Adam Discard", "Anna Discard");
  await signIn(page, adam!);
  const { id, url, media } = await beginRecording(page);
  const bytes = await readFile(fixture("rec-vp8-opus-3s.webm"));
  await append(page, url, 0, bytes.subarray(0, 9000));
  await page.clock.setFixedTime(Date.now() + 1_200_000);
  await page.goto("/inbox");
  const offer = page.locator("unfinished-recordings");
  const discard = async () => {
    await offer.getByRole("button", { name: "Discard" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  };
  await expect(offer).toContainText("started in another browser");

  // The other browser finishes the upload and sends the update.
  await append(page, url, 9000, bytes.subarray(9000), bytes.length);
  await publish(page, id, anna!);
  await page.route(`**/updates/${id}`, (route) => route.abort());
  await discard();
  await expect(offer).toContainText("nothing was deleted");
  await page.unroute(`**/updates/${id}`);
  await discard();
  await expect(offer).toContainText("This recording was already sent.");
  expect((await page.request.get(`/media/${media}`, { headers: apiHeaders })).status()).toBe(200);
});

/**
 * Begins the upload of a recording of unknown length. Returns the address of the upload, and the
 * ids of its update and its media item.
 */
async function beginRecording(page: Page): Promise<{ id: string; url: string; media: string }> {
  const created = await page.request.fetch("/uploads", {
    method: "POST",
    headers: {
      ...apiHeaders,
      "tus-resumable": "1.0.0",
      "upload-defer-length": "1",
      "upload-metadata": `filename ${btoa("talk.webm")},filetype ${btoa("video/webm")}`,
    },
  });
  expect(created.status(), await created.text()).toBe(201);
  const { "hearback-update": id, "hearback-media": media, location } = created.headers();
  return { id: id!, url: location!, media: media! };
}

/** Uploads `bytes` at `offset`. If `length` is given, this completes the upload. */
async function append(
  page: Page,
  url: string,
  offset: number,
  bytes: Buffer,
  length?: number,
): Promise<void> {
  const appended = await page.request.fetch(url, {
    method: "PATCH",
    headers: {
      ...apiHeaders,
      "tus-resumable": "1.0.0",
      "content-type": "application/offset+octet-stream",
      "upload-offset": String(offset),
      ...(length === undefined ? {} : { "upload-length": String(length) }),
    },
    data: bytes,
  });
  expect(appended.status(), await appended.text()).toBe(204);
}

/** Publishes an update to one person. */
async function publish(page: Page, update: string, recipient: Person): Promise<void> {
  const headers = apiHeaders;
  const data = { title: "Early", audience: [recipient.email] };
  await page.request.patch(`/updates/${update}`, { headers, data });
  await page.request.put(`/updates/${update}/publication`, { headers });
}
