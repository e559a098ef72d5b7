// The reply form. The page has one, in a template. A copy of it is put into the thread that the person replies to. A
// copy that contains something stays when another thread is replied to, so that nothing is lost.
import { readStorage } from "../lib/dom.js";

/** The forms that were opened on this page. The keys are the ids of the threads' first comments. */
const forms = new Map<string, HTMLElement>();

const openerOf = (rootId: string): HTMLButtonElement | null =>
  document.querySelector(`.reply-opener[value="${CSS.escape(rootId)}"]`);

document.addEventListener("click", (event) => {
  const opener =
    event.target instanceof Element
      ? event.target.closest<HTMLButtonElement>(".reply-opener")
      : null;
  if (!opener) return;
  event.preventDefault();
  if (opener.getAttribute("aria-expanded") === "true") closeReply(opener.value);
  else openReply(opener.value)?.querySelector("textarea")?.focus();
});

/** Opens the reply form of a thread, with what it contained before. Returns null if the thread is not on the page. */
export function openReply(rootId: string): HTMLElement | null {
  const opener = openerOf(rootId);
  if (!opener) return null;
  for (const other of document.querySelectorAll<HTMLElement>(".reply-form"))
    if (isEmpty(other)) closeReply(rootOf(other));
  const form = forms.get(rootId) ?? createForm(opener);
  if (!form) return null;
  forms.set(rootId, form);
  opener.after(form);
  opener.setAttribute("aria-expanded", "true");
  return form;
}

/** Closes the reply form of a thread. Its text and pictures are there again when it is opened again. */
export function closeReply(rootId: string): void {
  const opener = openerOf(rootId);
  const form = opener?.parentElement?.querySelector<HTMLElement>(".reply-form");
  const hadFocus = form?.contains(document.activeElement) === true;
  form?.remove();
  opener?.setAttribute("aria-expanded", "false");
  if (hadFocus) opener?.focus({ preventScroll: true });
}

function rootOf(form: HTMLElement): string {
  return form.querySelector<HTMLElement>("comment-composer")?.dataset["parent"] ?? "";
}

function isEmpty(form: HTMLElement): boolean {
  return (
    form.querySelector("textarea")?.value.trim() === "" &&
    form.querySelector(".composer-pictures")?.childElementCount === 0
  );
}

function createForm(opener: HTMLButtonElement): HTMLElement | null {
  const template = document.querySelector<HTMLTemplateElement>("#reply-template");
  const form = template?.content.firstElementChild?.cloneNode(true);
  const thread = opener.closest(".thread");
  if (!(form instanceof HTMLElement) || !thread) return null;
  const set = (selector: string, name: string, value: string): void =>
    form.querySelector(selector)?.setAttribute(name, value);
  form.dataset["js"] = "";
  set("comment-composer", "data-parent", opener.value);
  set("draft-box", "data-subject", opener.value);
  set("input[name=parent_id]", "value", replyTarget(thread, opener.value));
  const author = thread.querySelector<HTMLElement>(".comment")?.dataset["author"] ?? "";
  set("textarea", "aria-label", `Reply to ${author}`);
  const button = form.querySelector(".composer-foot button");
  if (button && opener.dataset["answers"] !== undefined) button.textContent = "Answer";
  return document.adoptNode(form);
}

/** The comment to reply to: the first one of the thread or, if it was removed, the last one. */
function replyTarget(thread: Element, rootId: string): string {
  const isRemoved = thread.querySelector(".comment")?.classList.contains("removed");
  const last = [...thread.querySelectorAll(".replies .comment")].at(-1);
  return isRemoved && last ? last.id.replace(/^c-/, "") : rootId;
}

/** Keeps the forms that the server opened, and opens those with text that only this tab has. */
function restoreForms(): void {
  for (const form of document.querySelectorAll<HTMLElement>(".reply-form")) {
    form.dataset["js"] = "";
    forms.set(rootOf(form), form);
  }
  const update = document.querySelector<HTMLElement>("update-page")?.dataset["update"];
  if (update === undefined) return;
  for (const { value } of document.querySelectorAll<HTMLButtonElement>(
    ".reply-opener[aria-expanded=false]",
  ))
    if (!forms.has(value) && readStorage("sessionStorage", `unsent ${update} ${value}`))
      openReply(value);
}

document.addEventListener("turbo:load", () => {
  forms.clear();
  restoreForms();
});
document.addEventListener("hearback:threads-loaded", restoreForms);
