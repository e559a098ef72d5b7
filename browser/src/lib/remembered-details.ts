// `data-remember`: a <details> element is as open or closed as the person last left it in this browser. The value of
// the attribute is the storage key.
import { readStorage, writeStorage } from "./dom.js";

function restore(root: ParentNode): void {
  for (const details of root.querySelectorAll<HTMLDetailsElement>("details[data-remember]"))
    if (readStorage("localStorage", details.dataset["remember"] ?? "") === "open")
      details.open = true;
}

// Open it before the page is shown, so that nothing moves afterwards.
document.addEventListener("turbo:before-render", (event) =>
  restore((event as CustomEvent<{ newBody: HTMLElement }>).detail.newBody),
);
restore(document);

// `toggle` does not bubble, so listen in the capture phase.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement)) return;
    const key = target.dataset["remember"];
    if (key !== undefined) writeStorage("localStorage", key, target.open ? "open" : null);
  },
  true,
);
