// One frame of a shared screen, window or tab, as a picture.
import { release, screen } from "./capture.js";
import { when } from "./dom.js";

/** Asks what to take a picture of. Rejects with a Refusal. */
export async function screenshot(): Promise<File> {
  const stream = await screen(false, true);
  try {
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = stream;
    await video.play();
    await settled(video);
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d")?.drawImage(video, 0, 0);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!blob) throw new Error("The browser could not make a picture of it. Try again.");
    return new File([blob], `Screenshot ${when(undefined, ".")}.png`, { type: "image/png" });
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
