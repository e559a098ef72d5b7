// The dialog that lists the editor's keyboard shortcuts.
import { make } from "../lib/dom.js";
import { tools, type Tool } from "./tools.js";

const keys: [keys: string[], action: string][] = [
  [["Enter"], "Place a mark in the middle, or edit a text"],
  [["Tab"], "Next mark (Shift: previous)"],
  [["←", "↑", "→", "↓"], "Move it (Shift: by 10)"],
  [["Alt", "→"], "Change its size (Shift: by 10)"],
  [["1", "…", "8"], "Color"],
  [["[", "]"], "Thinner, thicker"],
  [["Page Up", "Page Down"], "Move forward or back (Home, End: all the way)"],
  [["Ctrl", "D"], "Duplicate"],
  [["Delete"], "Delete"],
  [["Ctrl", "Z"], "Undo (Shift: redo)"],
  [["Ctrl", "C"], "Copy what is selected, or the whole picture"],
  [["Shift"], "While drawing: a square, a circle or a straight line"],
  [["+", "−", "0", "Z"], "Zoom in, zoom out, whole picture, true size"],
  [["Space"], "Hold and drag to move the picture"],
  [["Ctrl", "Enter"], "Save"],
  [["Esc"], "Leave the tool, then the editor"],
];

/** Lists the keys of the available tools and all other shortcuts of the editor. */
export function showKeyList(hasTool: (tool: Tool) => boolean): void {
  const toolKeys = tools
    .filter(({ tool }) => hasTool(tool))
    .map(({ key, name }): [string[], string] => [[key.toUpperCase()], name]);
  const rows = [...toolKeys, ...keys].flatMap(([names, action]) => [
    make("dt", {}, ...names.map((name) => make("kbd", {}, name))),
    make("dd", {}, action),
  ]);
  const close = make("button", { class: "button" }, "Close");
  const dialog = make(
    "dialog",
    { class: "markup-keys", "aria-labelledby": "markup-keys", "data-turbo-temporary": true },
    make("h2", { id: "markup-keys" }, "Keys"),
    make("dl", { class: "keys-list" }, ...rows),
    make("form", { method: "dialog", class: "actions", "data-turbo": "false" }, close),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
