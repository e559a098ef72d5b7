// Refreshes the page when a picture or video fails to load, because its signed address may have
// expired. Addresses expire after 12 to 24 hours, or earlier if the reader's session or share link
// ends. A poster reports no error, but expires together with its video. A refresh does not change
// addresses that are still valid, so a file that fails for another reason does not cause endless
// refreshes.
import { refresh } from "./refresh.js";

document.addEventListener(
  "error",
  ({ target }) => {
    const isMedia = target instanceof HTMLImageElement || target instanceof HTMLVideoElement;
    if (isMedia && target.closest("[data-live]")) void refresh();
  },
  { capture: true },
);
