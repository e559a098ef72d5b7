// One frame as a picture: of a shared screen, window or tab, or of a video of the page.
import { release, screen, Unanswered } from "./capture.js";
import { withDeadline } from "../lib/deadline.js";
import { formatTime, formatTimestamp } from "../lib/dom.js";
import { readableUrl } from "../markup/layer-api.js";
import { positionMs } from "../update/source-swap.js";

/** Milliseconds that a screen has to send its first picture. */
const patience = 10_000;

/** Asks what to take a picture of. Rejects with a Refusal. */
export async function screenshot(): Promise<File> {
  const stream = await screen(false, true);
  try {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = stream;
    await withDeadline(
      video.play(),
      patience,
      () =>
        new Unanswered(
          "Your screen hasn't sent a picture. Try again, or choose another screen, window or tab.",
        ),
    );
    await settled(video);
    return await picture(video, `Screenshot ${formatTimestamp(undefined, ".")}.png`);
  } finally {
    release(stream);
  }
}

/** The browser's own question may still be fading: not the first frame counts, unless nothing moves. */
function settled(video: HTMLVideoElement): Promise<void> {
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

/** The frame that a video shows now. Where its bytes come from another host, a page may not look at them: then the same frame is fetched through ours. */
export async function frame(video: HTMLVideoElement): Promise<File> {
  const name = `${(video.getAttribute("aria-label") ?? "Video").replace(/\.\w{2,5}$/, "")} at ${formatTime(positionMs(video)).replaceAll(":", ".")}.png`;
  await there(video);
  try {
    return await picture(video, name);
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "SecurityError")) throw error;
  }
  const own = document.createElement("video");
  own.muted = true;
  own.src = readableUrl(video.src);
  own.currentTime = video.currentTime;
  await there(own);
  return picture(own, name);
}

/** Resolves when there is a frame to be seen. */
function there(video: HTMLVideoElement): Promise<void> {
  const seen = () => video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking;
  if (seen()) return Promise.resolve();
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
          if (seen()) end(resolve);
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

async function picture(video: HTMLVideoElement, name: string): Promise<File> {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("The browser could not make a picture of it. Try again.");
  return new File([blob], name, { type: "image/png" });
}
