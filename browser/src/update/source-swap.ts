// A video whose bytes move to another address while somebody watches it: the raw file becomes a seekable copy, a stretch is cut from the whole.
// Who plays is left alone; the new address is taken where there is a break anyway: at a pause, a jump, a stall, an error.
import { onVideoRefresh } from "../lib/refresh.js";

const coming = new WeakMap<HTMLVideoElement, { src: string; from: number; begins: number }>();
/** Videos that went while they were watched, by their id: others get nothing of a recording while it is being trimmed. */
const gone = new Map<
  string,
  { at: number; plays: boolean; rate: number; muted: boolean; volume: number }
>();
const heard = new WeakSet<HTMLVideoElement>();

/** Where in the file the recording begins, in milliseconds: its author sees a stretch in the original until it is cut. */
function begin(video: HTMLVideoElement): number {
  return Number(video.dataset["from"] ?? 0);
}

/** Where in the whole recording that which is shown begins: what was cut before it is not there any more, and moments are told from here. */
function begins(video: HTMLVideoElement): number {
  return Number(video.dataset["begins"] ?? 0);
}

/** The moment of the recording that is shown, in milliseconds. */
export function positionMs(video: HTMLVideoElement): number {
  return Math.max(0, video.currentTime * 1000 - begin(video));
}

/** Goes to a moment of the recording. */
export function seekTo(video: HTMLVideoElement, ms: number): void {
  video.currentTime = (begin(video) + ms) / 1000;
}

/** How long the recording is, in milliseconds. The server measured it; of a raw file a browser knows as much as it has read. */
export function durationMs(video: HTMLVideoElement): number {
  const told = Number(video.dataset["duration"]);
  if (told > 0) return told;
  if (Number.isFinite(video.duration)) return video.duration * 1000;
  const { buffered } = video;
  return (
    Math.max(video.currentTime, buffered.length > 0 ? buffered.end(buffered.length - 1) : 0) * 1000
  );
}

/** Takes over what the server says of the video now, without touching what plays. */
function updateSource(video: HTMLVideoElement, next: Element): void {
  const src = next.getAttribute("src") ?? "";
  const [from, whence] = ["data-from", "data-begins"].map((name) =>
    Number(next.getAttribute(name) ?? 0),
  ) as [number, number];
  for (const name of ["poster", "width", "height", "aria-label", "data-duration"]) {
    const value = next.getAttribute(name);
    if (value === video.getAttribute(name)) continue;
    if (value === null) video.removeAttribute(name);
    else video.setAttribute(name, value);
  }
  if (src === video.getAttribute("src")) {
    coming.delete(video);
    return;
  }
  coming.set(video, { src, from, begins: whence });
  if (!heard.has(video)) {
    heard.add(video);
    for (const event of ["pause", "ended", "seeking", "waiting", "error"])
      video.addEventListener(event, () => move(video));
  }
  if (video.paused || video.error) move(video);
}

/** Goes on at the new address, at the same moment. */
function move(video: HTMLVideoElement): void {
  const next = coming.get(video);
  if (!next) return;
  coming.delete(video);
  const { at, plays, rate } = watched(video);
  const fresh = video.currentTime === 0 && !plays;
  video.dataset["from"] = String(next.from);
  video.dataset["begins"] = String(next.begins);
  video.src = next.src;
  if (!fresh) goOn(video, at, plays, rate);
}

/** Where and how a video is watched; the moment is that of the whole recording. */
function watched(video: HTMLVideoElement): { at: number; plays: boolean; rate: number } {
  return {
    at: positionMs(video) + begins(video),
    plays: !video.paused && !video.ended,
    rate: video.playbackRate,
  };
}

/** Goes on at the same moment of the whole recording once there is something to show; what was cut there has no such moment. */
function goOn(video: HTMLVideoElement, at: number, plays: boolean, rate: number): void {
  video.addEventListener(
    "loadedmetadata",
    () => {
      const place = Math.max(0, at - begins(video));
      const end = Number(video.dataset["duration"] ?? Infinity);
      seekTo(video, Math.min(place, end));
      video.playbackRate = rate;
      // Without a press a browser may refuse; then the controls offer it.
      if (plays && place < end) video.play().catch(() => undefined);
    },
    { once: true },
  );
}

/** A video is about to go. When it is back, it is watched on where it was. */
function savePlayback(video: HTMLVideoElement): void {
  if (video.id !== "" && (video.currentTime > 0 || !video.paused))
    gone.set(video.id, { ...watched(video), muted: video.muted, volume: video.volume });
}

onVideoRefresh((video, next) => {
  if (next) updateSource(video, next);
  else savePlayback(video);
});

document.addEventListener("hearback:refreshed", () => {
  for (const [id, { at, plays, rate, muted, volume }] of gone) {
    const video = document.getElementById(id);
    if (!(video instanceof HTMLVideoElement)) continue;
    gone.delete(id);
    Object.assign(video, { muted, volume });
    goOn(video, at, plays, rate);
  }
});
// Another page, another time.
document.addEventListener("turbo:load", () => gone.clear());
