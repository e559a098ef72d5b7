// Shows the length of a new recording in the list of media until the server has processed the file and knows the
// length.
import { formatTime } from "../lib/dom.js";

/** Shows a length of `ms` milliseconds beside the media with this id whenever the page is refreshed. */
export function showLength(media: string, ms: number, signal: AbortSignal): void {
  const show = (): void => {
    const length = document
      .getElementById(`media-${media}`)
      ?.querySelector<HTMLElement>("[data-length]");
    // Do nothing once the page shows the length that the server measured.
    if (!length?.hidden) return;
    length.textContent = `${formatTime(Math.max(1000, ms))} · `;
    length.hidden = false;
  };
  document.addEventListener("hearback:refreshed", show, { signal });
}
