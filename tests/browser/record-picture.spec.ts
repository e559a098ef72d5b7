// The picture of a recording: its size, the camera bubble in it, and what happens if the picture cannot be drawn.
import { expect, test } from "./test.ts";
import { startRecording, waitUntilRecorded, recorder, openStudio } from "./studio.ts";

test("a recording starts if the worker cannot draw the camera, but ends once nothing can draw it", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [rika] = await hearback.addPeople("Rika");
  const { page, close } = await openStudio(playwright, hearback, rika!);
  /** Prepends `code` to the scripts of the next `times` compositor workers. */
  const prependToWorker = (code: string, times = 1) =>
    page.route(
      "**/compositor-worker*",
      async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${code}\n${await response.text()}` });
      },
      { times },
    );
  const cannotCopy =
    'VideoFrame.prototype.copyTo = () => Promise.reject(new Error("cannot be copied"))';
  const showsCamera = () =>
    expect
      .poll(() => page.locator('[data-part="preview"]').evaluate(showsCameraBubble), {
        timeout: 30_000,
      })
      .toBe(true);
  const isRecording = () =>
    expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await prependToWorker(cannotCopy);
  await startRecording(page, "Screen and camera");
  await showsCamera();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);

  await prependToWorker(
    `${cannotCopy}; OffscreenCanvasRenderingContext2D.prototype.drawImage = () => { throw new Error("cannot be drawn") }`,
    2,
  );
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await isRecording();
  await showsCamera();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(2);

  // Make drawing fail in two workers and in the page: on a busy machine, the frames of the first worker arrive late, so
  // a second worker or the page may draw instead.
  const failOnMessage = (context: string) => `{
    const draw = ${context}.prototype.drawImage;
    let fails = false;
    new BroadcastChannel("fail").onmessage = () => { fails = true; };
    ${context}.prototype.drawImage = function (...all) {
      if (fails) throw new Error("cannot be drawn");
      return draw.apply(this, all);
    };
  }`;
  await prependToWorker(`${cannotCopy}; ${failOnMessage("OffscreenCanvasRenderingContext2D")}`, 2);
  await page.evaluate(failOnMessage("CanvasRenderingContext2D"));
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await isRecording();
  await page.evaluate(() => new BroadcastChannel("fail").postMessage(null));
  await expect(
    page.getByText("The camera could no longer be shown, so the recording has ended."),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page.locator(".media-item video")).toHaveCount(3);
  await close();
});

test("a screen that reports a wrong size is recorded at its real size", async ({
  playwright,
  hearback,
}) => {
  const [rosi] = await hearback.addPeople("Rosi");
  const { page, close } = await openStudio(playwright, hearback, rosi!);
  // Simulate a whole screen, which reports a wrong size before its first frame.
  await page.evaluate(() => {
    const media = navigator.mediaDevices;
    const real = media.getDisplayMedia.bind(media);
    media.getDisplayMedia = async (options) => {
      const stream = await real(options);
      stream.getVideoTracks()[0]!.getSettings = () => ({ width: 1920, height: 1080 });
      return stream;
    };
  });
  await startRecording(page, "Screen and camera");
  expect(
    await page
      .locator('[data-part="preview"]')
      .evaluate((video: HTMLVideoElement) => [video.videoWidth, video.videoHeight]),
  ).toEqual([1280, 720]);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  await close();
});

test("in a browser that cannot read frames, the page composites them until that fails", async ({
  playwright,
  hearback,
}) => {
  const [rune] = await hearback.addPeople("Rune");
  const { page, context, close } = await openStudio(playwright, hearback, rune!);
  await context.addInitScript(() => {
    for (const name of ["MediaStreamTrackProcessor", "MediaStreamTrackGenerator"])
      delete (window as unknown as Record<string, unknown>)[name];
  });
  await page.reload();
  await startRecording(page, "Screen and camera");
  await waitUntilRecorded(page, 2);
  await expect
    .poll(() => page.locator('[data-part="preview"]').evaluate(showsCameraBubble), {
      timeout: 30_000,
    })
    .toBe(true);
  await page.evaluate(() => {
    CanvasRenderingContext2D.prototype.drawImage = () => {
      throw new Error("cannot be drawn");
    };
  });
  await expect(
    page.getByText("The camera could no longer be shown, so the recording has ended."),
  ).toBeVisible();
  await expect(page.locator(".media-item video")).toBeVisible();
  await close();
});

/** Returns whether the picture shows the green of Chromium's fake camera at the initial position of the bubble. */
function showsCameraBubble(video: HTMLVideoElement | SVGElement): boolean {
  const { videoWidth, videoHeight } = video as HTMLVideoElement;
  if (!videoWidth) return false;
  const canvas = document.createElement("canvas");
  canvas.width = videoWidth;
  canvas.height = videoHeight;
  const context = canvas.getContext("2d")!;
  context.drawImage(video as HTMLVideoElement, 0, 0);
  const [red, full] = context.getImageData(
    Math.round(0.1 * videoWidth),
    Math.round(0.74 * videoHeight),
    1,
    1,
  ).data;
  return full! > 90 && red! < 90;
}
