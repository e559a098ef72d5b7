// The dialog that lists the editor's keyboard shortcuts.
import { make } from "../lib/dom.js";
import { tools, type Tool } from "./tools.js";

const keys: [keys: string[], action: string][] = [
  [["Enter"], "Place a mark in the middle; write a text again"],
  [["Tab"], "Next mark; with Shift the one before"],
  [["←", "↑", "→", "↓"], "Move it; with Shift by 10"],
  [["Alt", "→"], "Change its size; with Shift by 10"],
  [["1", "…", "8"], "Colour"],
  [["[", "]"], "Thinner, thicker"],
  [["Page Up", "Page Down"], "Forward, back; Home and End all the way"],
  [["Ctrl", "D"], "Duplicate"],
  [["Delete"], "Delete"],
  [["Ctrl", "Z"], "Undo; with Shift again"],
  [["Ctrl", "C"], "Copy what is selected, or the whole picture"],
  [["Shift"], "While drawing: square, circle, straight"],
  [["+", "−", "0", "Z"], "Zoom; the whole picture; its true size"],
  [["Space"], "Hold to move the picture"],
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
