// The keys of the player. The browser's own controls take seven tab stops, so they are for the pointer, for touch and for
// screen readers; with the keyboard, the player (`.film`) is one stop. Some of its keys work on the whole page. Screen
// readers hear what each key did.
import { announce, formatTime } from "../lib/dom.js";
import { latinKey } from "../lib/latin-key.js";
import { stage } from "./media-stage.js";
import { durationMs, positionMs, seekTo } from "./source-swap.js";

const [SKIP_MS, ARROW_MS, FINE_MS] = [10_000, 5_000, 1_000];
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

/** Handles the shortcuts of the page that concern the media. Returns whether the key was one of them. */
export function mediaKey(event: KeyboardEvent): boolean {
  const target = event.target instanceof Element ? event.target : null;
  const video = stage()?.video;
  const key = latinKey(event);
  switch (key) {
    case " ":
    case "k":
      // Ignore the space bar on a focused control, because it activates the control.
      if (!video || (key === " " && target?.closest("button, summary, a, video, select")))
        return false;
      togglePlayback(video);
      return true;
    case "j":
    case "l":
      if (!video) return false;
      seekBy(video, key === "j" ? -SKIP_MS : SKIP_MS);
      return true;
    case "ArrowLeft":
    case "ArrowRight": {
      if (target?.closest("video, select, input")) return false;
      const direction = key === "ArrowLeft" ? -1 : 1;
      if (video) seekBy(video, direction * (event.shiftKey ? FINE_MS : ARROW_MS));
      else stepMedia(direction);
      return true;
    }
    case "m":
      stage()?.marks?.toggleMarks();
      return true;
    default:
      return false;
  }
}

function togglePlayback(video: HTMLVideoElement): void {
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

function seekBy(video: HTMLVideoElement, ms: number): void {
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

function stepMedia(offset: number): void {
  const shown = stage();
  if (!shown?.step(offset)) return;
  announce(`${shown.numberOf(shown.shownMedia)} of ${shown.count}: ${shown.shownName}`);
}
