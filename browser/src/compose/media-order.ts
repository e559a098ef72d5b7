// After a file has been moved up or down, announces its new place and keeps the focus on its buttons.
import { announce } from "../lib/dom.js";

document.addEventListener("hearback:form-sent", ({ detail: { form } }) => {
  const item = form.closest(".media-item");
  if (!item || !form.hasAttribute("data-moves")) return;
  const pressed = document.activeElement;
  const label = pressed instanceof HTMLButtonElement ? (pressed.ariaLabel ?? "") : "";
  document.addEventListener("hearback:refreshed", () => focusItem(item.id, label), { once: true });
});

/**
 * Focuses the button with this label or, if the item cannot be moved any further, its other button. Leaves the focus
 * where it is if the user has moved it elsewhere since.
 */
function focusItem(id: string, label: string): void {
  const item = document.getElementById(id);
  if (!item) return;
  const buttons = [...item.querySelectorAll<HTMLButtonElement>("[data-moves] button:enabled")];
  const { activeElement } = document;
  if (activeElement === document.body || item.contains(activeElement))
    (buttons.find((button) => button.ariaLabel === label) ?? buttons[0])?.focus();
  const items = [...document.querySelectorAll(".media-item[data-media]")];
  announce(`Moved to place ${items.indexOf(item) + 1} of ${items.length}.`);
}
