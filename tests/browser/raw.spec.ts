// The raw recording plays from publication, and who plays it notices nothing when the seekable copy takes its place.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, fixture, Hearback, signIn, test, type Page } from "./test.ts";
import { asProgram } from "./scene.ts";

const run = promisify(execFile);

/** An ffmpeg that waits before it works on a file, until the gate is opened: then all of them go through. */
async function gated(): Promise<{
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
    // Opening it for writing waits for a reader: so the work has begun.
    open: async () => void (await run("sh", ["-c", `echo go >${gate}; rm ${gate}`])),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

type Told = { id: string; media: { id: string; state: string }[] };

async function send(page: Page, audience: string): Promise<Told> {
  const media = {
    name: "talk.webm",
    mimeType: "video/webm",
    buffer: await readFile(fixture("rec-vp9-opus-10s.webm")),
  };
  const made = await page.request.post("/updates", {
    headers: asProgram,
    multipart: { title: "Raw", audience, publish: "true", media },
  });
  expect(made.status(), await made.text()).toBe(201);
  return (await made.json()) as Told;
}

/** Writes down what a viewer would notice. */
async function watch(page: Page): Promise<void> {
  await page.locator(".stage video").evaluate((video: HTMLVideoElement) => {
    const noticed: string[] = [];
    Object.assign(window, { noticed });
    for (const event of ["pause", "waiting", "stalled", "error", "emptied", "ended"])
      video.addEventListener(event, () =>
        noticed.push(`${event} at ${video.currentTime.toFixed(1)}`),
      );
  });
}

const noticed = (page: Page) =>
  page.evaluate(() => (window as unknown as { noticed: string[] }).noticed);
const address = (page: Page) =>
  page.locator(".stage video").evaluate((video: HTMLVideoElement) => video.getAttribute("src"));
const playing = (page: Page) =>
  page.locator(".stage video").evaluate((video: HTMLVideoElement) => ({
    at: video.currentTime,
    paused: video.paused,
    error: video.error?.message,
    known: Number.isFinite(video.duration),
  }));

test("who plays the raw recording plays on when the copy comes, and can seek afterwards", async ({
  browser,
}) => {
  const gate = await gated();
  const server = await Hearback.start("raw", { HEARBACK_FFMPEG: gate.ffmpeg });
  try {
    const [rae, ron, rio] = await server.people("Rae Raw", "Ron Raw", "Rio Raw");
    const open = async (who: typeof rae) => {
      const opened = await (await browser.newContext({ baseURL: server.url })).newPage();
      await signIn(opened, who!);
      return opened;
    };
    const author = await open(rae);
    const { id } = await send(author, `${ron!.email}, ${rio!.email}`);
    const [ron1, rio1] = [await open(ron), await open(rio)];
    for (const viewer of [ron1, rio1]) {
      await viewer.goto(`/updates/${id}`);
      await viewer.locator(".stage video").evaluate((video: HTMLVideoElement) => {
        video.muted = true;
        return video.play();
      });
      await watch(viewer);
      // Without a length in the file the line under it grows with what was read.
      await expect
        .poll(() =>
          viewer
            .locator(".timeline .now")
            .evaluate((line: HTMLElement) => parseFloat(line.style.width)),
        )
        .toBeGreaterThan(0);
      expect((await playing(viewer)).known).toBe(false);
    }
    const raw = await address(ron1);
    await gate.open();
    for (const viewer of [ron1, rio1])
      await expect(viewer.locator(".stage video")).toHaveAttribute("data-duration", /^9\d\d\d$/);
    // The page knows of the copy, and what plays was not touched.
    expect(await address(ron1)).toBe(raw);
    const then = await playing(ron1);
    expect([then.paused, then.error]).toEqual([false, undefined]);

    // One plays on to the end without a break.
    await expect
      .poll(async () => (await noticed(ron1)).length, { timeout: 15_000 })
      .toBeGreaterThan(0);
    const all = await noticed(ron1);
    expect(all[0]).toMatch(/^(pause|ended) at 9\./);
    await expect.poll(() => address(ron1)).not.toBe(raw);
    // The other jumps: the same moment, at the new address, and it plays on.
    if ((await playing(rio1)).paused)
      await rio1.locator(".stage video").evaluate((video: HTMLVideoElement) => video.play());
    await rio1.locator(".stage video").evaluate((video: HTMLVideoElement) => {
      video.currentTime = 2;
    });
    await expect.poll(() => address(rio1)).not.toBe(raw);
    for (const [viewer, to] of [
      [rio1, 3],
      [ron1, 8],
      [ron1, 1],
    ] as const) {
      await expect.poll(async () => (await playing(viewer)).known).toBe(true);
      await viewer.locator(".stage video").evaluate(
        (video: HTMLVideoElement, to: number) =>
          new Promise<void>((done) => {
            video.addEventListener("seeked", () => done(), { once: true });
            video.currentTime = to;
          }),
        to,
      );
      expect((await playing(viewer)).at).toBeGreaterThan(to - 0.1);
      expect((await playing(viewer)).error).toBeUndefined();
    }
  } finally {
    await server.stop();
    await gate.remove();
  }
});

test("video with metadata plays for its author at once, and for others as soon as that is removed", async ({
  browser,
}) => {
  const gate = await gated();
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
    const [pia, pat] = await server.people("Pia Phone", "Pat Patient");
    const author = await (await browser.newContext({ baseURL: server.url })).newPage();
    await signIn(author, pia!);
    const media = { name: "phone.mp4", mimeType: "video/mp4", buffer: await readFile(phone) };
    const made = await author.request.post("/updates", {
      headers: asProgram,
      multipart: { title: "Phone", audience: pat!.email, publish: "true", media },
    });
    expect(made.status(), await made.text()).toBe(201);
    const { id } = (await made.json()) as Told;
    const other = await (await browser.newContext({ baseURL: server.url })).newPage();
    await signIn(other, pat!);
    for (const viewer of [author, other]) await viewer.goto(`/updates/${id}`);
    await expect
      .poll(() =>
        author.locator(".stage video").evaluate((video: HTMLVideoElement) => video.readyState),
      )
      .toBeGreaterThan(0);
    await expect(other.locator(".stage .stand-in")).toHaveText(
      "Processing. It will play here in a moment.",
    );
    await expect(other.locator(".stage video")).toHaveCount(0);
    await gate.open();
    await expect(other.locator(".stage video")).toBeVisible();
    await expect
      .poll(() =>
        other.locator(".stage video").evaluate((video: HTMLVideoElement) => video.readyState),
      )
      .toBeGreaterThan(0);
  } finally {
    await server.stop();
    await gate.remove();
    await rm(folder, { recursive: true, force: true });
  }
});

test("what is still arriving says so to everyone, and plays as soon as it is here", async ({
  page,
  hearback,
  browser,
}) => {
  const [amy, art] = await hearback.people("Amy Arrive", "Art Arrive");
  await signIn(page, amy!);
  const begun = await page.request.fetch("/uploads", {
    method: "POST",
    headers: {
      ...asProgram,
      "tus-resumable": "1.0.0",
      "upload-defer-length": "1",
      "upload-metadata": `filename ${btoa("talk.webm")},filetype ${btoa("video/webm")}`,
    },
  });
  expect(begun.status(), await begun.text()).toBe(201);
  const { "hearback-update": id, location } = begun.headers();
  await page.request.patch(`/updates/${id}`, {
    headers: asProgram,
    data: { title: "Early", audience: [art!.email] },
  });
  await page.request.put(`/updates/${id}/publication`, { headers: asProgram });
  const other = await (await browser.newContext({ baseURL: hearback.url })).newPage();
  await signIn(other, art!);
  await other.goto(`/updates/${id}`);
  await expect(other.locator(".stage .stand-in")).toContainText("Still arriving");
  const bytes = await readFile(fixture("rec-vp8-opus-3s.webm"));
  const sent = await page.request.fetch(location!, {
    method: "PATCH",
    headers: {
      ...asProgram,
      "tus-resumable": "1.0.0",
      "content-type": "application/offset+octet-stream",
      "upload-offset": "0",
      "upload-length": String(bytes.length),
    },
    data: bytes,
  });
  expect(sent.status(), await sent.text()).toBe(204);
  await expect(other.locator(".stage video")).toBeVisible();
  await expect
    .poll(() =>
      other.locator(".stage video").evaluate((video: HTMLVideoElement) => video.readyState),
    )
    .toBeGreaterThan(0);
});
