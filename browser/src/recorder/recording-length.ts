// The length of what was just recorded, in the list of an update's media.
import { formatTime } from "../lib/dom.js";

/** Shows `ms` for the medium with this id: its file does not say its length until it is prepared. */
export function showLength(media: string, ms: number, signal: AbortSignal): void {
  const show = (): void => {
    const length = document
      .getElementById(`media-${media}`)
      ?.querySelector<HTMLElement>("[data-length]");
    if (!length?.hidden) return;
    length.textContent = `${formatTime(Math.max(1000, ms))} · `;
    length.hidden = false;
  };
  document.addEventListener("hearback:refreshed", show, { signal });
}
