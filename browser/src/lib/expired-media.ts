// Signed addresses of pictures and videos expire after some hours, or earlier if the reader's session or share link
// ends. If one fails to load, refreshes the page to get new addresses. A poster reports no error, but expires together
// with its video. Repeated errors cause no loop: an address that is still valid stays the same on the new page.
import { refresh } from "./refresh.js";

document.addEventListener(
  "error",
  ({ target }) => {
    const isMedia = target instanceof HTMLImageElement || target instanceof HTMLVideoElement;
    if (isMedia && target.closest("[data-live]")) void refresh();
  },
  { capture: true },
);
