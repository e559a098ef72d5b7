// Screens, cameras and microphones that deliver what a test wants, when it wants it.
import type { Page } from "@playwright/test";

export type Source = "screen" | "camera" | "microphone";

/** Colours that no page of ours has, as red, green and blue. */
export const colors = { screen: [0, 90, 255], camera: [255, 0, 200] } as const;

/** `real` is Chromium's own. `mute` delivers nothing until told to; `silent` (a microphone) delivers silence; `stuck` is never there. */
export type Behaviour = "real" | "mute" | "silent" | "stuck";

/** Gives the page these sources, from its next load on. `hidesFrames`: the page cannot read the frames of tracks, as in Firefox. */
export async function control(
  page: Page,
  behaviours: Partial<Record<Source, Behaviour>>,
  { hidesFrames = false } = {},
): Promise<void> {
  await page.addInitScript(
    ({ behaviours, colors, hidesFrames }) => {
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
      const made: Partial<Record<string, Generator>> = {};
      const given: string[] = [];
      const sound = (): MediaStreamTrack =>
        new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]!;
      const track = (source: string): MediaStreamTrack | Promise<never> => {
        const behaviour = behaviours[source as "screen"];
        if (behaviour === "stuck") return new Promise(() => {});
        if (behaviour === "silent") return sound();
        return (made[source] = new Generator({
          kind: source === "microphone" ? "audio" : "video",
        }));
      };
      const isReal = (source: "screen" | "camera" | "microphone") =>
        (behaviours[source] ?? "real") === "real";
      media.getDisplayMedia = async (options) => {
        const stream = isReal("screen")
          ? await display(options)
          : new MediaStream([await track("screen")]);
        given.push("screen");
        return stream;
      };
      media.getUserMedia = async (wanted = {}) => {
        const source = wanted.video ? "camera" : "microphone";
        return isReal(source) ? device(wanted) : new MediaStream([await track(source)]);
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
        const generator = made[source];
        if (!generator) throw new Error(`the page has no ${source} of the test's`);
        const writer = generator.writable.getWriter();
        await writer.write(frame(source));
        if (times === 1) return writer.releaseLock();
        const timer = setInterval(() => {
          if (generator.readyState === "live") void writer.write(frame(source));
          else clearInterval(timer);
        }, 1000 / 15);
      };
      Object.assign(window, { deliver, given });
    },
    { behaviours, colors, hidesFrames },
  );
  await page.reload();
}

/** The sources that the page was given so far. */
export const given = (page: Page) =>
  page.evaluate(() => (window as unknown as { given: Source[] }).given);

/** Has a source deliver its colour: one frame, or 15 a second from here on. */
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
