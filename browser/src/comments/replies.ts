// The reply form. The page contains one in a template, and puts a copy into the thread that the person replies to.
// If a copy contains something, it stays when the person replies to another thread, so that nothing is lost.
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

/** Opens the reply form of a thread, with its earlier content. Returns null if the thread is not on the page. */
export function openReply(rootId: string): HTMLElement | null {
  const opener = openerOf(rootId);
  if (!opener) return null;
  for (const other of document.querySelectorAll<HTMLElement>(".reply-form"))
    if (isEmpty(other)) closeReply(rootOf(other));
  return showForm(opener);
}

function showForm(opener: HTMLButtonElement): HTMLElement | null {
  const form = forms.get(opener.value) ?? createForm(opener);
  if (!form) return null;
  forms.set(opener.value, form);
  updateForm(form, opener);
  opener.after(form);
  opener.setAttribute("aria-expanded", "true");
  return form;
}

/** Closes the reply form of a thread. Its text and pictures are restored when it is reopened. */
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
  const author = thread.querySelector<HTMLElement>(".comment")?.dataset["author"] ?? "";
  set("textarea", "aria-label", `Reply to ${author}`);
  return document.adoptNode(form);
}

/** Updates the parts of a form that depend on the state of its thread. */
function updateForm(form: HTMLElement, opener: HTMLButtonElement): void {
  const target = replyTarget(opener.closest(".thread"), opener.value);
  form.querySelector("input[name=parent_id]")?.setAttribute("value", target);
  const button = form.querySelector(".composer-foot button");
  const label = opener.dataset["answers"] === undefined ? "Reply" : "Answer";
  if (button && button.textContent?.trim() !== label) button.textContent = label;
  // Once the server knows a guest's name, the template has no field for it.
  const template = document.querySelector<HTMLTemplateElement>("#reply-template");
  if (template?.content.querySelector("input[name=name]") === null)
    form.querySelector("input[name=name]")?.closest(".field")?.remove();
}

/** The comment to reply to: the first one of the thread or, if it was removed, the last one. */
function replyTarget(thread: Element | null, rootId: string): string {
  const isRemoved = thread?.querySelector(".comment")?.classList.contains("removed");
  const last = [...(thread?.querySelectorAll(".replies .comment") ?? [])].at(-1);
  return isRemoved && last ? last.id.replace(/^c-/, "") : rootId;
}

/** Leaves open the forms that the server opened, opens those with unsent text in this tab, and updates all of them. */
function restoreForms(): void {
  for (const form of document.querySelectorAll<HTMLElement>(".reply-form")) {
    form.dataset["js"] = "";
    forms.set(rootOf(form), form);
    const opener = openerOf(rootOf(form));
    if (opener) updateForm(form, opener);
  }
  const update = document.querySelector<HTMLElement>("update-page")?.dataset["update"];
  if (update === undefined) return;
  for (const opener of document.querySelectorAll<HTMLButtonElement>(
    ".reply-opener[aria-expanded=false]",
  ))
    if (
      !forms.has(opener.value) &&
      readStorage("sessionStorage", `unsent ${update} ${opener.value}`)
    )
      showForm(opener);
}

document.addEventListener("turbo:load", () => {
  forms.clear();
  restoreForms();
});
document.addEventListener("hearback:refreshed", restoreForms);
