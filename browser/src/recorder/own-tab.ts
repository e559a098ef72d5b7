// Recognizes a capture of this tab, and waits until the capture shows a change that was made to the
// page. The capture lags behind the page, and no event reports when it has caught up, so this
// module examines the captured picture.

import { showsPicture } from "./track-probe.js";

/** Width and height of a sample, in pixels. */
const sampleSize = 4;
/** How much the values of two samples of the same color may differ on average, from 0 to 255. */
const tolerance = 40;
const tabId = `hearback-${Math.random().toString(36).slice(2)}`;

/** Lets `isOwnTab` recognize captures of this tab. Has no effect in browsers that cannot capture tabs. */
export function identifyOwnTab(): void {
  navigator.mediaDevices.setCaptureHandleConfig?.({
    handle: tabId,
    permittedOrigins: [location.origin],
  });
}

/** Whether the track captures this tab. */
export function isOwnTab(track: MediaStreamTrack | undefined): boolean {
  return track?.getCaptureHandle?.()?.handle === tabId;
}

/**
 * Returns a function that waits until `video`, which shows a capture of this tab, has shown `color`
 * at `place` and no longer shows it. `color` is a CSS color, and `place` is a rectangle in the
 * viewport. The wait ends after `ms` milliseconds at the latest.
 */
export function watchUntilGone(
  video: HTMLVideoElement,
  color: string,
  place: DOMRect,
): (ms: number) => Promise<void> {
  const expected = sampleOf((context) => {
    context.fillStyle = color;
    context.fillRect(0, 0, sampleSize, sampleSize);
  });
  const isShown = (): boolean => difference(expected, sampleVideo(video, place)) < tolerance;
  let wasShown = isShown();
  return (ms) =>
    new Promise((resolve) => {
      let request = 0;
      const finish = (): void => {
        clearTimeout(timer);
        video.cancelVideoFrameCallback(request);
        resolve();
      };
      const check = (): void => {
        const shown = isShown();
        // On a busy computer, the video may have no current frame for a moment. The color then only
        // seems to be gone, so keep waiting.
        if (wasShown && !shown && showsPicture(video)) return finish();
        wasShown ||= shown;
        request = video.requestVideoFrameCallback(check);
      };
      const timer = setTimeout(finish, ms);
      check();
    });
}

/** Samples the captured picture at a place in the viewport. */
function sampleVideo(video: HTMLVideoElement, place: DOMRect): Uint8ClampedArray {
  const [x, y] = [video.videoWidth / innerWidth, video.videoHeight / innerHeight];
  const { left, top, width, height } = place;
  return sampleOf((context) =>
    context.drawImage(
      video,
      left * x,
      top * y,
      width * x,
      height * y,
      0,
      0,
      sampleSize,
      sampleSize,
    ),
  );
}

function sampleOf(draw: (context: OffscreenCanvasRenderingContext2D) => void): Uint8ClampedArray {
  const context = new OffscreenCanvas(sampleSize, sampleSize).getContext("2d");
  if (!context) throw new Error("This browser cannot draw on a canvas.");
  draw(context);
  return context.getImageData(0, 0, sampleSize, sampleSize).data;
}

/** Returns the mean difference between two samples. */
function difference(one: Uint8ClampedArray, other: Uint8ClampedArray): number {
  return (
    one.reduce((sum, value, index) => sum + Math.abs(value - (other[index] ?? 0)), 0) / one.length
  );
}
