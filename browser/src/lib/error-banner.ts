// The banner that reports a failed action.
import { icon, make, setMessage } from "./dom.js";

/** Shows an error until the person closes it, another error replaces it or a later action succeeds. */
export function showError(text: string): void {
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
  close.addEventListener("click", () => banner.remove());
  document.body.append(banner);
}

export function hideError(): void {
  document.getElementById("complaint")?.remove();
}
