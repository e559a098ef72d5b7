// Takes a screenshot of a shared screen, window or tab, or captures the current frame of a video on the page.
import { CaptureError, stopTracks, captureScreen, TimeoutError } from "./capture.js";
import { withDeadline } from "../lib/deadline.js";
import { formatTime, formatTimestamp } from "../lib/dom.js";
import { readableUrl } from "../markup/layer-api.js";
import { positionMs } from "../update/source-swap.js";

/** How long a screen may take to deliver its first frame, in milliseconds. */
const screenTimeout = 10_000;

/**
 * Asks the person which source to share, and captures a picture of it. Rejects with a
 * `CaptureError` if the source cannot be captured.
 */
export async function screenshot(): Promise<File> {
  const stream = await captureScreen(false, true);
  try {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = stream;
    await withDeadline(
      video.play(),
      screenTimeout,
      () =>
        new TimeoutError(
          "Your screen hasn’t sent a picture. Try again, or choose another screen, window or tab.",
        ),
    );
    await settle(video);
    return await toFile(video, `Screenshot ${formatTimestamp(undefined, ".")}.png`);
  } finally {
    stopTracks(stream);
  }
}

/**
 * Waits for the third frame, because the browser's dialog may still be fading out. Waits at most 400 ms, because a
 * still screen delivers no further frames.
 */
function settle(video: HTMLVideoElement): Promise<void> {
  return new Promise((resolve) => {
    const enough = setTimeout(resolve, 400);
    let frames = 0;
    const next = () => {
      frames += 1;
      if (frames < 3) video.requestVideoFrameCallback(next);
      else {
        clearTimeout(enough);
        resolve();
      }
    };
    if ("requestVideoFrameCallback" in video) video.requestVideoFrameCallback(next);
  });
}

/**
 * Captures the frame that a video shows. If the video comes from another host, scripts cannot read
 * its pixels. In that case, loads the video again through this site and captures the same frame.
 */
export async function captureFrame(video: HTMLVideoElement): Promise<File> {
  const name = `${(video.getAttribute("aria-label") ?? "Video").replace(/\.\w{2,5}$/, "")} at ${formatTime(positionMs(video)).replaceAll(":", ".")}.png`;
  await waitForFrame(video);
  try {
    return await toFile(video, name);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
  }
  const copy = document.createElement("video");
  copy.muted = true;
  copy.src = readableUrl(video.src);
  copy.currentTime = video.currentTime;
  await waitForFrame(copy);
  return toFile(copy, name);
}

/** Resolves when the video shows a frame. */
function waitForFrame(video: HTMLVideoElement): Promise<void> {
  const hasFrame = (): boolean =>
    video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking;
  if (hasFrame()) return Promise.resolve();
  return new Promise<void>((resolve, reject) => {
    const listening = new AbortController();
    const { signal } = listening;
    const end = (act: () => void) => {
      listening.abort();
      act();
    };
    for (const event of ["loadeddata", "canplay", "seeked"])
      video.addEventListener(
        event,
        () => {
          if (hasFrame()) end(resolve);
        },
        { signal },
      );
    video.addEventListener(
      "error",
      () => end(() => reject(new Error("The video could not be read. Try again in a moment."))),
      { signal },
    );
    video.preload = "auto";
  });
}

async function toFile(video: HTMLVideoElement, name: string): Promise<File> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("The browser could not take a picture. Try again.");
  return new File([blob], name, { type: "image/png" });
}

/**
 * Returns the error to show for a failed screenshot. Rewords capture errors, because their messages
 * are about recordings.
 */
export function screenshotError(error: unknown): unknown {
  return error instanceof CaptureError
    ? new CaptureError(error.message.replace("nothing is recorded", "there is no picture"))
    : error;
}
