// Keyboard navigation of lists: one row at a time has the focus.
import { announce, isTextEntry } from "./dom.js";
import { shortcutsEnabled } from "./shortcuts.js";

/**
 * Whether a key press may be a shortcut of the page: shortcuts are on, Ctrl, Alt and Meta are not
 * held, no text field has the focus, and no dialog or popover is open.
 */
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

/** The row that has or contains the focus. */
export function focusedRow(rows: HTMLElement[]): HTMLElement | undefined {
  return rows.find((row) => row.contains(document.activeElement));
}

/**
 * Moves the focus by `offset` rows, and announces the place of the row. If no row has the focus, focuses the first row
 * or, if `offset` is negative, the last.
 */
export function moveFocus(rows: HTMLElement[], offset: number): void {
  const last = rows.length - 1;
  const current = rows.findIndex((row) => row.contains(document.activeElement));
  const start = offset > 0 ? 0 : last;
  const index = current === -1 ? start : Math.min(last, Math.max(0, current + offset));
  const next = rows[index];
  if (!next) return;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  announce(`${index + 1} of ${rows.length}`);
}
