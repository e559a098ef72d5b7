// The banner that reports a failed action.
import { icon, make, setMessage } from "./dom.js";
import { markOfflineNotice } from "./offline.js";

/**
 * Shows an error until the person closes it, another error replaces it or a later action succeeds. If the browser is
 * offline or the request is waiting for the server (`isWaiting`), the error also disappears once the server responds.
 */
export function showError(text: string, isWaiting = false): void {
  hideError();
  const close = make("button", { type: "button", class: "button quiet" }, "Close");
  const message = make("p");
  const banner = make(
    "div",
    {
      id: "complaint",
      class: "problem complaint",
      role: "alert",
      "data-js": true,
      "data-turbo-temporary": true,
    },
    icon("circle-alert"),
    message,
    close,
  );
  setMessage(message, text);
  markOfflineNotice(banner, isWaiting);
  close.addEventListener("click", () => banner.remove());
  document.body.append(banner);
}

export function hideError(): void {
  document.getElementById("complaint")?.remove();
}
