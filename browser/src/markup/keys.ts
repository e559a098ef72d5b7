// The editor's keys: everything a pointer does, and the list of them.
import { make, isTextEntry } from "../lib/dom.js";
import { shortcutsEnabled } from "../lib/shortcuts.js";
import { bounds } from "./geometry.js";
import type { Desk } from "./pointer.js";
import { colors } from "./shapes.js";
import { placed, tools, type Tool } from "./tools.js";

/** What only the window around the desk can do. */
export interface Commands extends Desk {
  use(tool: Tool): void;
  has(tool: Tool): boolean;
  /** One step back: out of what is being done, out of the tool, out of the editor. */
  escape(): void;
  save(): void;
  copy(): void;
  keys(): void;
}

const arrows: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Does what a key means; false where it means nothing here. */
export function press(at: Commands, event: KeyboardEvent): boolean {
  if (isTextEntry(event.target) || event.isComposing) return false;
  if (event.key === "Escape") return done(at.escape());
  if (event.ctrlKey || event.metaKey) return together(at, event);
  const onStage = event.target === at.view.stage;
  const { board, crop, view } = at;
  const arrow = arrows[event.key];
  if (onStage && arrow) return done(move(at, arrow, event));
  if (onStage && event.key === "Tab") {
    if (crop || !board.selectNext(event.shiftKey ? -1 : 1)) return false;
    return done(reveal(at));
  }
  if (onStage && event.key === "Enter") return done(enter(at));
  const page = view.stageSize.height * 0.9;
  const chosen = board.selected.length > 0;
  switch (event.key) {
    case "Delete":
    case "Backspace":
      return done(crop ? crop.set([0, 0, board.size.width, board.size.height]) : board.remove());
    case "PageUp":
    case "PageDown": {
      const up = event.key === "PageUp" ? 1 : -1;
      return done(chosen && !crop ? board.order(up, false) : view.pan(0, page * up));
    }
    case "Home":
    case "End": {
      const up = event.key === "Home" ? 1 : -1;
      return done(chosen && !crop ? board.order(up, true) : view.pan(0, 1e6 * up));
    }
    case "F2":
      return done(rewrite(at));
    case "?":
      return done(at.keys());
  }
  return !event.altKey && shortcutsEnabled() && single(at, event);
}

function together(at: Commands, event: KeyboardEvent): boolean {
  const { board } = at;
  const chosen = board.selected.length > 0;
  switch (event.key.toLowerCase()) {
    case "z":
      return done(event.shiftKey ? board.redo() : board.undo());
    case "y":
      return done(board.redo());
    case "a":
      return done(board.select(board.marks.map(({ id }) => id)));
    case "c":
      return done(chosen ? board.copy() : at.copy());
    case "x":
      if (!chosen) return false;
      board.copy();
      return done(board.remove());
    case "v":
      return board.canPaste && done(board.paste());
    case "d":
      return done(board.duplicate());
    case "]":
    case "}":
      return done(board.order(1, event.shiftKey));
    case "[":
    case "{":
      return done(board.order(-1, event.shiftKey));
    case "enter":
      return done(at.save());
    default:
      return false;
  }
}

function single(at: Commands, event: KeyboardEvent): boolean {
  const { board, view } = at;
  const color = /^[1-8]$/.test(event.key) ? colors[Number(event.key) - 1] : undefined;
  if (color) return done(board.color(color));
  switch (event.key) {
    case "+":
    case "=":
      return done(view.zoomBy(1.4));
    case "-":
      return done(view.zoomBy(1 / 1.4));
    case "0":
      return done(view.fit());
    case "[":
    case "]":
      return done(
        board.level(
          Math.min(2, Math.max(0, board.shown.level + (event.key === "]" ? 1 : -1))) as 0 | 1 | 2,
        ),
      );
  }
  const key = event.key.toLowerCase();
  if (key === "z") return done(view.trueSize());
  const chosen = tools.find((one) => one.key === key);
  return chosen !== undefined && at.has(chosen.tool) && done(at.use(chosen.tool));
}

function move(at: Commands, [x, y]: [number, number], event: KeyboardEvent): void {
  const { board, crop, view } = at;
  const step = event.shiftKey ? 10 : 1;
  if (crop) return crop.nudge(x * step, y * step, event.altKey);
  if (board.selected.length === 0) return view.pan(-x * 60, -y * 60);
  if (event.altKey) board.grow(x * step, y * step);
  else board.nudge(x * step, y * step);
  reveal(at);
}

/** Places a shape in the middle of what is seen, where arrows then move it. */
function enter(at: Commands): void {
  const { board, crop, tool, view } = at;
  if (crop) return crop.apply();
  if (
    board.selected.length === 1 &&
    board.selected[0]?.shape.kind === "text" &&
    (tool === "select" || tool === "text")
  )
    return rewrite(at);
  const [x, y, width, height] = view.seen;
  if (tool === "text") return at.write([x + width * 0.4, y + height * 0.45]);
  const shape = placed(
    tool,
    [x + width / 2, y + height / 2],
    { width, height },
    board.size,
    board.style,
    board.next,
  );
  if (shape) board.add(shape);
}

function rewrite(at: Commands): void {
  const [only, more] = at.board.selected;
  if (only?.shape.kind === "text" && !more) at.write(only.id);
}

function reveal({ board, view }: Commands): void {
  const [first] = board.selected;
  if (first) view.reveal(bounds(first.shape, board.size));
}

function done(_: void): true {
  return true;
}

const list: [string[], string][] = [
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

/** Shows the list of keys. */
export function showKeys(has: (tool: Tool) => boolean): void {
  const rows = make("dl", { class: "keys-list" });
  const row = (keys: string[], words: string) =>
    rows.append(make("dt", {}, ...keys.map((key) => make("kbd", {}, key))), make("dd", {}, words));
  for (const { tool, key, name } of tools) if (has(tool)) row([key.toUpperCase()], name);
  for (const [keys, words] of list) row(keys, words);
  const close = make("button", { class: "button" }, "Close");
  const dialog = make(
    "dialog",
    { class: "markup-keys", "aria-labelledby": "markup-keys", "data-turbo-temporary": true },
    make("h2", { id: "markup-keys" }, "Keys"),
    rows,
    make("form", { method: "dialog", class: "actions", "data-turbo": "false" }, close),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
