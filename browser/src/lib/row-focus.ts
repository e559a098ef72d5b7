// Lists that are gone through by keys: one row at a time has the focus.
import { isTextEntry } from "./dom.js";
import { shortcutsEnabled } from "./shortcuts.js";

/** Whether a key is meant for the page. */
export function isPageShortcut(event: KeyboardEvent): boolean {
  if (
    event.defaultPrevented ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    isTextEntry(event.target) ||
    !shortcutsEnabled()
  )
    return false;
  return document.querySelector("dialog[open], [popover]:popover-open") === null;
}

/** The row that has the focus, or holds what has it. */
export function focusedRow(rows: HTMLElement[]): HTMLElement | undefined {
  return rows.find((row) => row.contains(document.activeElement));
}

/** Moves the focus by so many rows; from nowhere to the first or the last. */
export function moveFocus(rows: HTMLElement[], by: number): void {
  const now = rows.findIndex((row) => row.contains(document.activeElement));
  const next =
    rows[
      now === -1 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + by))
    ];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
