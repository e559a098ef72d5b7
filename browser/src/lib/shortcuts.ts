// Keys of every page, the list of all keys, and the switch for those whom single keys disturb (WCAG 2.1.4).
import { make, readStorage, writeStorage, isTextEntry } from "./dom.js";

const everywhere: [string[], string][] = [
  [["/"], "Search"],
  [["?"], "These keys"],
];
const onUpdates: [string[], string][] = [
  [["Space", "k"], "Play or pause"],
  [["j", "l"], "10 seconds back or on"],
  [["←", "→"], "5 seconds; with Shift 1; between pictures"],
  [["c"], "Comment here"],
  [["q"], "Ask a question here"],
  [["d"], "Draw on it, for a comment"],
  [["m"], "Show or hide the marks of a picture"],
  [["Ctrl", "Enter"], "Send what you typed"],
  [["n", "p"], "Next or previous comment"],
  [["a"], "Answer"],
  [["i"], "Next in the inbox"],
  [["z"], "Only the stage and the comments"],
];
const onInbox: [string[], string][] = [
  [["j", "k"], "Next or previous row"],
  [["Enter"], "Open"],
  [["a"], "Answer, or open"],
  [["s"], "Later"],
  [["i"], "Read one after the other"],
];
const onReceipts: [string[], string][] = [
  [["j", "k"], "Next or previous answer"],
  [["y"], "Yes, that’s it"],
  [["n"], "Not quite"],
  [["Ctrl", "Enter"], "Send what you typed"],
];
const onPictures: [string[], string][] = [
  [["+", "−", "0"], "Zoom; the whole picture"],
  [["Enter"], "On the picture: a pin, which arrows move"],
  [["Space"], "Hold to move the picture"],
];

/** Whether single keys do something. */
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
  // The list itself opens always, so that the keys can be switched on again.
  if (event.key === "?") show();
  else if (event.key === "/" && shortcutsEnabled()) search();
  else return;
  event.preventDefault();
});

function search(): void {
  const field = document.querySelector<HTMLInputElement>('[data-key="/"]');
  if (field) field.select();
  else if (document.querySelector(".rail")) location.assign("/updates#q");
}

// Coming from another page, the cursor is where one searches.
document.addEventListener("turbo:load", () => {
  if (location.hash === "#q") document.querySelector<HTMLInputElement>('[data-key="/"]')?.focus();
});

function show(): void {
  if (document.querySelector("dialog[open]")) return;
  const lists = [
    ...(document.querySelector("update-page") ? onUpdates : []),
    ...(document.querySelector(".viewport") ? onPictures : []),
    ...(document.querySelector("inbox-keys") ? onInbox : []),
    ...(document.querySelector("hearing-list") ? onReceipts : []),
    ...everywhere,
  ];
  const list = make("dl", { class: "keys-list" });
  for (const [keys, words] of lists)
    list.append(make("dt", {}, ...keys.map((key) => make("kbd", {}, key))), make("dd", {}, words));
  const box = make("input", { type: "checkbox" });
  box.checked = shortcutsEnabled();
  box.addEventListener("change", () =>
    writeStorage("localStorage", "keys", box.checked ? null : "off"),
  );
  const close = make("button", { class: "button" }, "Close");
  const dialog = make(
    "dialog",
    { "aria-labelledby": "keys-heading", "data-turbo-temporary": true },
    make("h2", { id: "keys-heading" }, "Keys"),
    list,
    make(
      "form",
      { method: "dialog", class: "actions", "data-turbo": "false" },
      make("label", { class: "check" }, box, "Single keys do something"),
      make("span", { class: "spring" }),
      close,
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}
