// Fake screens, cameras and microphones. Fake screens and cameras deliver frames when a test calls
// `deliver`.
import type { Page } from "@playwright/test";

export type Source = "screen" | "camera" | "microphone";

/** The colors of the fake frames as red, green and blue. No page of Hearback uses these colors. */
export const colors = { screen: [0, 90, 255], camera: [255, 0, 200] } as const;

/**
 * `real`: Chromium's own fake device. `mute`: delivers nothing until a test calls `deliver`. `silent`: a microphone
 * that delivers silence. `stuck`: the page's request for the device never settles.
 */
export type SourceBehavior = "real" | "mute" | "silent" | "stuck";

/**
 * Makes the page's screen, camera and microphone behave as `behaviors` says (`real` by default), and
 * reloads the page. With `hidesFrames`, the page cannot read the frames of tracks, as in Firefox.
 */
export async function fakeSources(
  page: Page,
  behaviors: Partial<Record<Source, SourceBehavior>>,
  { hidesFrames = false } = {},
): Promise<void> {
  await page.addInitScript(
    ({ behaviors, colors, hidesFrames }) => {
      const media = navigator.mediaDevices as MediaDevices | undefined;
      if (!media) return;
      const [device, display] = [media.getUserMedia.bind(media), media.getDisplayMedia.bind(media)];
      type Generator = MediaStreamTrack & { writable: WritableStream<VideoFrame> };
      const Generator = (
        window as unknown as { MediaStreamTrackGenerator: new (of: { kind: string }) => Generator }
      ).MediaStreamTrackGenerator;
      if (hidesFrames) {
        Reflect.deleteProperty(window, "MediaStreamTrackGenerator");
        Reflect.deleteProperty(window, "MediaStreamTrackProcessor");
      }
      const generators: Partial<Record<string, Generator>> = {};
      const granted: string[] = [];
      const silence = (): MediaStreamTrack =>
        new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]!;
      const fakeTrack = (source: string): MediaStreamTrack | Promise<never> => {
        const behavior = behaviors[source as "screen"];
        if (behavior === "stuck") return new Promise(() => {});
        if (behavior === "silent") return silence();
        return (generators[source] = new Generator({
          kind: source === "microphone" ? "audio" : "video",
        }));
      };
      const isReal = (source: "screen" | "camera" | "microphone") =>
        (behaviors[source] ?? "real") === "real";
      media.getDisplayMedia = async (options) => {
        const stream = isReal("screen")
          ? await display(options)
          : new MediaStream([await fakeTrack("screen")]);
        granted.push("screen");
        return stream;
      };
      media.getUserMedia = async (constraints = {}) => {
        const source = constraints.video ? "camera" : "microphone";
        return isReal(source) ? device(constraints) : new MediaStream([await fakeTrack(source)]);
      };
      const frame = (source: "screen" | "camera"): VideoFrame => {
        const canvas =
          source === "screen" ? new OffscreenCanvas(1280, 720) : new OffscreenCanvas(640, 480);
        const context = canvas.getContext("2d")!;
        context.fillStyle = `rgb(${colors[source].join(" ")})`;
        context.fillRect(0, 0, canvas.width, canvas.height);
        return new VideoFrame(canvas, { timestamp: Math.round(performance.now() * 1000) });
      };
      const deliver = async (source: "screen" | "camera", times: number): Promise<void> => {
        const generator = generators[source];
        if (!generator) throw new Error(`the page has not requested the fake ${source}`);
        const writer = generator.writable.getWriter();
        await writer.write(frame(source));
        if (times === 1) return writer.releaseLock();
        const timer = setInterval(() => {
          if (generator.readyState === "live") void writer.write(frame(source));
          else clearInterval(timer);
        }, 1000 / 15);
      };
      Object.assign(window, { deliver, granted });
    },
    { behaviors, colors, hidesFrames },
  );
  await page.reload();
}

/** Returns a list with one entry for each time the page was granted access to a screen. */
export const grantedScreens = (page: Page) =>
  page.evaluate(() => (window as unknown as { granted: Source[] }).granted);

/** Makes a source deliver frames of its color: a single frame, or 15 frames per second from now on. */
export async function deliver(
  page: Page,
  source: "screen" | "camera",
  times: "once" | "always" = "always",
): Promise<void> {
  await page.evaluate(
    ({ source, times }) =>
      (window as unknown as { deliver: (source: string, times: number) => Promise<void> }).deliver(
        source,
        times,
      ),
    { source, times: times === "once" ? 1 : Infinity },
  );
}
