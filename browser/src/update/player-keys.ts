// The keys of the player. The browser's own controls take seven tab stops, so they are for the pointer, for touch and for
// screen readers; with the keyboard, the player (`.film`) is one stop. Screen readers hear what
// each key did.
import { announce, formatTime } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { durationMs, positionMs, seekTo } from "./source-swap.js";

/** How far an arrow key seeks, without and with Shift. */
export const [ARROW_MS, FINE_MS] = [5_000, 1_000];
const VOLUME_STEP = 0.1;
const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** Makes the player one tab stop with keys of its own. They also work if single-key shortcuts are off. */
export function connectPlayerKeys(video: HTMLVideoElement, signal: AbortSignal): void {
  const film = video.closest<HTMLElement>(".film");
  if (!film) return;
  // Also skips the controls inside the video.
  video.tabIndex = -1;
  film.tabIndex = 0;
  film.setAttribute("role", "group");
  film.setAttribute("aria-label", `Player: ${video.getAttribute("aria-label") ?? ""}`);
  film.setAttribute("aria-keyshortcuts", "Space ArrowLeft ArrowRight ArrowUp ArrowDown f < >");
  film.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target !== film) return;
      if (playerKey(video, latinKey(event), event.shiftKey)) event.preventDefault();
    },
    { signal },
  );
}

/** Handles a key while the player has the focus. Returns whether it was one of the player's keys. */
function playerKey(video: HTMLVideoElement, key: string, isFine: boolean): boolean {
  switch (key) {
    case " ":
    case "Enter":
      togglePlayback(video);
      break;
    case "ArrowLeft":
    case "ArrowRight":
      seekBy(video, (key === "ArrowLeft" ? -1 : 1) * (isFine ? FINE_MS : ARROW_MS));
      break;
    case "ArrowUp":
    case "ArrowDown":
      changeVolume(video, key === "ArrowUp" ? VOLUME_STEP : -VOLUME_STEP);
      break;
    case "<":
    case ">":
      changeRate(video, key === ">" ? 1 : -1);
      break;
    case "f":
      void showFullScreen(video);
      break;
    default:
      return false;
  }
  return true;
}

/** Plays or pauses, and announces which. */
export function togglePlayback(video: HTMLVideoElement): void {
  if (video.paused) {
    announce("Playing.");
    video.play().catch(() => {
      // It was paused again before it began, or the browser cannot play it, which the player shows.
    });
  } else {
    video.pause();
    announce(`Paused at ${formatTime(positionMs(video))}.`);
  }
}

/** Seeks by a number of milliseconds, and announces the new position. */
export function seekBy(video: HTMLVideoElement, ms: number): void {
  const end = Number.isFinite(video.duration) ? durationMs(video) : Infinity;
  seekTo(video, Math.max(0, Math.min(end, positionMs(video) + ms)));
  announce(formatTime(positionMs(video)));
}

function changeVolume(video: HTMLVideoElement, step: number): void {
  const before = video.muted ? 0 : video.volume;
  video.volume = Math.min(1, Math.max(0, Math.round((before + step) * 10) / 10));
  video.muted = video.volume === 0;
  announce(video.muted ? "Muted." : `Volume ${Math.round(video.volume * 100)} percent.`);
}

function changeRate(video: HTMLVideoElement, step: 1 | -1): void {
  const faster = RATES.find((rate) => rate > video.playbackRate);
  const slower = RATES.findLast((rate) => rate < video.playbackRate);
  video.playbackRate = (step > 0 ? faster : slower) ?? video.playbackRate;
  announce(`Speed ${video.playbackRate}.`);
}

async function showFullScreen(video: HTMLVideoElement): Promise<void> {
  try {
    await video.requestFullscreen();
    announce("Full screen. Press Escape to leave it.");
  } catch {
    announce("This browser does not allow full screen here.");
  }
}
