// Keyboard shortcuts of every page, the dialog that lists them, and the setting that turns single-key shortcuts off
// (WCAG 2.1.4).
import { make, readStorage, writeStorage, isTextEntry } from "./dom.js";

type Shortcut = [keys: string[], description: string];

const everywhere: Shortcut[] = [
  [["Ctrl", "K"], "Go to a page, or find an update or a person"],
  [["/"], "Search the library"],
  [["?"], "Keyboard shortcuts"],
];
const onUpdates: Shortcut[] = [
  [["Space", "k"], "Play or pause"],
  [["j", "l"], "Back or forward 10 seconds"],
  [["←", "→"], "Back or forward 5 seconds (Shift: 1), or another picture"],
  [["c"], "Comment here"],
  [["q"], "Ask a question here"],
  [["d"], "Draw on what is shown, for a comment"],
  [["m"], "Show or hide the marks of a picture"],
  [["Ctrl", "Enter"], "Send what you typed"],
  [["n", "p"], "Next or previous comment"],
  [["a"], "Answer"],
  [["i"], "Next in the inbox"],
  [["z"], "Focus mode"],
];
const onPlayer: Shortcut[] = [
  [["↑", "↓"], "On the player: louder or quieter"],
  [["<", ">"], "On the player: slower or faster"],
  [["f"], "On the player: full screen"],
];
const onInbox: Shortcut[] = [
  [["j", "k"], "Next or previous row"],
  [["Enter"], "Open"],
  [["a"], "Answer, or open"],
  [["s"], "Snooze"],
  [["u"], "Undo (for ten seconds)"],
  [["i"], "Go through one by one"],
];
const onReceipts: Shortcut[] = [
  [["j", "k"], "Next or previous answer"],
  [["y"], "Yes, that’s it"],
  [["n"], "Not quite"],
  [["u"], "Undo (for ten seconds)"],
  [["Ctrl", "Enter"], "Send what you typed"],
];
const onImages: Shortcut[] = [
  [["+", "−", "0"], "Zoom in, zoom out, whole picture"],
  [["Enter"], "On the picture: place a pin, then move it with the arrow keys"],
  [["Space"], "Hold and drag to move the picture"],
];

/** Whether single-key shortcuts are on. */
export function shortcutsEnabled(): boolean {
  return readStorage("localStorage", "keys") !== "off";
}

document.addEventListener("keydown", (event) => {
  if (
    event.defaultPrevented ||
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    isTextEntry(event.target)
  )
    return;
  // "?" always works, so that shortcuts can be turned on again.
  if (event.key === "?") showShortcuts();
  else if (event.key === "/" && shortcutsEnabled()) focusSearch();
  else return;
  event.preventDefault();
});

function focusSearch(): void {
  const field = document.querySelector<HTMLInputElement>('[data-key="/"]');
  if (field) field.select();
  else if (document.querySelector(".rail")) location.assign("/updates#q");
}

// `focusSearch` opens the library at `#q` if the current page has no search field. When the library has loaded, focus
// its search field.
document.addEventListener("turbo:load", () => {
  if (location.hash === "#q") document.querySelector<HTMLInputElement>('[data-key="/"]')?.focus();
});

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-keys]") : null;
  if (!button) return;
  button.closest("details")?.removeAttribute("open");
  showShortcuts();
});

/** Shows the keyboard shortcuts of this page. */
export function showShortcuts(): void {
  if (document.querySelector("dialog[open]")) return;
  const shortcuts = [
    ...(document.querySelector("update-page") ? onUpdates : []),
    ...(document.querySelector(".film") ? onPlayer : []),
    ...(document.querySelector(".viewport") ? onImages : []),
    ...(document.querySelector("inbox-keys") ? onInbox : []),
    ...(document.querySelector("hearing-list") ? onReceipts : []),
    ...everywhere,
  ];
  const list = make("dl", { class: "keys-list" });
  for (const [keys, description] of shortcuts)
    list.append(
      make("dt", {}, ...keys.map((key) => make("kbd", {}, key))),
      make("dd", {}, description),
    );
  const checkbox = make("input", { type: "checkbox" });
  checkbox.checked = shortcutsEnabled();
  checkbox.addEventListener("change", () =>
    writeStorage("localStorage", "keys", checkbox.checked ? null : "off"),
  );
  const close = make("button", { class: "button" }, "Close");
  const dialog = make(
    "dialog",
    { "aria-labelledby": "keys-heading", "data-turbo-temporary": true },
    make("h2", { id: "keys-heading" }, "Keyboard shortcuts"),
    list,
    make(
      "form",
      { method: "dialog", class: "actions", "data-turbo": "false" },
      make("label", { class: "check" }, checkbox, "Use single-key shortcuts"),
      make("span", { class: "spring" }),
      close,
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
