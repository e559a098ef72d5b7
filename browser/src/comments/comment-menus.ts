// The menus of comments: the reactions, and the actions on one's own comment. The page contains one template of each,
// and shows a copy while a menu is open. At most one is open; Escape or a click elsewhere closes it.
import { addEmojiSearch, keepInView } from "../lib/menus.js";

let openMenu: { items: HTMLElement; opener: HTMLElement } | null = null;

document.addEventListener("click", (event) => {
  const { target } = event;
  if (!(target instanceof Element) || openMenu?.items.contains(target)) return;
  if (target.closest("dialog")) return;
  const opener = target.closest<HTMLButtonElement>(".menu > button[form=ask]");
  // If the page has no template, follow the link: the server renders the menu.
  if (opener && !document.getElementById(`${opener.name}-template`)) return;
  const wasOpen = opener?.getAttribute("aria-expanded") === "true";
  closeMenu();
  if (!opener) return;
  event.preventDefault();
  if (wasOpen) closeServerMenu(opener);
  else open(opener);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !openMenu) return;
  // In a dialog, Escape closes only the dialog.
  if (event.target instanceof Element && event.target.closest("dialog")) return;
  const { opener } = openMenu;
  closeMenu();
  opener.focus();
  event.stopPropagation();
});

document.addEventListener("hearback:form-sent", closeMenu);
// Do not store an open menu in Turbo's cache.
document.addEventListener("turbo:before-cache", closeMenu);

/** Closes the open menu. If the focus is in it, the button that opened it gets the focus. */
export function closeMenu(): void {
  if (!openMenu) return;
  const { items, opener } = openMenu;
  openMenu = null;
  if (items.contains(document.activeElement)) opener.focus({ preventScroll: true });
  items.remove();
  opener.setAttribute("aria-expanded", "false");
}

/** Closes a menu that the server rendered because the address asks for it. */
function closeServerMenu(opener: HTMLElement): void {
  opener.parentElement?.querySelector(".menu-items")?.remove();
  opener.setAttribute("aria-expanded", "false");
}

function open(opener: HTMLButtonElement): void {
  const template = document.getElementById(`${opener.name}-template`);
  const items =
    template instanceof HTMLTemplateElement
      ? template.content.firstElementChild?.cloneNode(true)
      : null;
  if (!(items instanceof HTMLElement)) return;
  items.dataset["js"] = "";
  const comment = opener.closest<HTMLElement>(".comment");
  const url = `/${comment ? "comments" : "updates"}/${opener.value}`;
  if (opener.name === "react") fillReactions(items, `${url}/reactions/`);
  else fillActions(items, opener.value, url, comment);
  opener.after(items);
  opener.setAttribute("aria-expanded", "true");
  openMenu = { items, opener };
  keepInView(items);
}

function fillReactions(items: HTMLElement, url: string): void {
  for (const button of items.querySelectorAll("button"))
    button.setAttribute("formaction", url + (button.textContent?.trim() ?? ""));
  addEmojiSearch(items, url);
}

function fillActions(
  items: HTMLElement,
  commentId: string,
  url: string,
  comment: HTMLElement | null,
): void {
  items.querySelector<HTMLButtonElement>("button[name=edit]")!.value = commentId;
  const remove = items.querySelector<HTMLButtonElement>("button[formaction]")!;
  remove.setAttribute("formaction", url);
  const isFirst = comment?.parentElement?.closest(".replies") === null;
  if (isFirst && comment?.closest(".thread")?.querySelector(".replies .comment"))
    remove.dataset["confirm"] = "Remove this comment? The replies stay.";
}
