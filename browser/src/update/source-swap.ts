// Changes the source of a video when a seekable or trimmed copy replaces the raw file, even while
// somebody is watching the video. Playback is not interrupted: the new source is used at the next
// pause, seek, stall or error.
//
// Positions are in milliseconds from the point where the trimmed recording begins. `data-from` is
// the position of this point in the file. If the start was trimmed, `data-begins` is the position
// of this point in the original.

import { onVideoRefresh } from "../lib/refresh.js";

interface Source {
  src: string;
  from: number;
  begins: number;
}

interface Playback {
  /** The position in milliseconds from the start of the original. */
  originalMs: number;
  isPlaying: boolean;
  rate: number;
}

const pendingSources = new WeakMap<HTMLVideoElement, Source>();
const observedVideos = new WeakSet<HTMLVideoElement>();
/**
 * The playback state of videos that have left the page, by element id. For example, while an author trims a video, the
 * video is missing from the pages of its viewers.
 */
const savedPlayback = new Map<string, Playback & { muted: boolean; volume: number }>();

function fileOffset(video: HTMLVideoElement): number {
  return Number(video.dataset["from"] ?? 0);
}

function trimmedStart(video: HTMLVideoElement): number {
  return Number(video.dataset["begins"] ?? 0);
}

/** The current position in the recording, in milliseconds. */
export function positionMs(video: HTMLVideoElement): number {
  return Math.max(0, video.currentTime * 1000 - fileOffset(video));
}

/** Seeks to a position in the recording, in milliseconds. */
export function seekTo(video: HTMLVideoElement, ms: number): void {
  video.currentTime = (fileOffset(video) + ms) / 1000;
}

/**
 * Returns the duration in milliseconds, as measured by the server. Until the server has measured a
 * raw file, returns the browser's duration or, if the browser does not know it yet, the length of
 * what it has loaded so far.
 */
export function durationMs(video: HTMLVideoElement): number {
  const measured = Number(video.dataset["duration"]);
  if (measured > 0) return measured;
  if (Number.isFinite(video.duration)) return video.duration * 1000;
  const { buffered } = video;
  const bufferedEnd = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
  return Math.max(video.currentTime, bufferedEnd) * 1000;
}

/** Copies the attributes of the refreshed video, and schedules a source change if its URL changed. */
function updateSource(video: HTMLVideoElement, refreshed: Element): void {
  for (const name of ["poster", "width", "height", "aria-label", "data-duration"]) {
    const value = refreshed.getAttribute(name);
    if (value === video.getAttribute(name)) continue;
    if (value === null) video.removeAttribute(name);
    else video.setAttribute(name, value);
  }
  const src = refreshed.getAttribute("src") ?? "";
  if (src === video.getAttribute("src")) {
    pendingSources.delete(video);
    return;
  }
  pendingSources.set(video, {
    src,
    from: Number(refreshed.getAttribute("data-from") ?? 0),
    begins: Number(refreshed.getAttribute("data-begins") ?? 0),
  });
  if (!observedVideos.has(video)) {
    observedVideos.add(video);
    for (const event of ["pause", "ended", "seeking", "waiting", "error"])
      video.addEventListener(event, () => switchSource(video));
  }
  if (video.paused || video.error) switchSource(video);
}

/** Switches to the pending source and continues at the same position. */
function switchSource(video: HTMLVideoElement): void {
  const source = pendingSources.get(video);
  if (!source) return;
  pendingSources.delete(video);
  const playback = playbackOf(video);
  const isUntouched = video.currentTime === 0 && !playback.isPlaying;
  video.dataset["from"] = String(source.from);
  video.dataset["begins"] = String(source.begins);
  video.src = source.src;
  if (!isUntouched) resumePlayback(video, playback);
}

function playbackOf(video: HTMLVideoElement): Playback {
  return {
    originalMs: positionMs(video) + trimmedStart(video),
    isPlaying: !video.paused && !video.ended,
    rate: video.playbackRate,
  };
}

/**
 * Restores playback once the video's metadata has loaded. If the position was trimmed off, seeks to the start or end of
 * the video, whichever is nearer. At the end, the video stays paused.
 */
function resumePlayback(video: HTMLVideoElement, { originalMs, isPlaying, rate }: Playback): void {
  video.addEventListener(
    "loadedmetadata",
    () => {
      const position = Math.max(0, originalMs - trimmedStart(video));
      const end = Number(video.dataset["duration"] ?? Infinity);
      seekTo(video, Math.min(position, end));
      video.playbackRate = rate;
      // Ignore a refusal to play without a user gesture. The person can press play.
      if (isPlaying && position < end) video.play().catch(() => undefined);
    },
    { once: true },
  );
}

/**
 * Saves the playback state of a video that leaves the page. If a refresh of the same page brings the video back,
 * playback resumes.
 */
function savePlayback(video: HTMLVideoElement): void {
  if (video.id !== "" && (video.currentTime > 0 || !video.paused))
    savedPlayback.set(video.id, {
      ...playbackOf(video),
      muted: video.muted,
      volume: video.volume,
    });
}

onVideoRefresh((video, refreshed) => {
  if (refreshed) updateSource(video, refreshed);
  else savePlayback(video);
});

document.addEventListener("hearback:refreshed", () => {
  for (const [id, { muted, volume, ...playback }] of savedPlayback) {
    const video = document.getElementById(id);
    if (!(video instanceof HTMLVideoElement)) continue;
    savedPlayback.delete(id);
    Object.assign(video, { muted, volume });
    resumePlayback(video, playback);
  }
});
document.addEventListener("turbo:load", () => savedPlayback.clear());
