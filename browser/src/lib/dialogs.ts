// Forms of the whole page: quiet ones that are sent without leaving it, and the question before what cannot be undone.
import { config } from "@hotwired/turbo";
import { icon, make, setMessage } from "./dom.js";
import { refresh } from "./refresh.js";
import { requestJson, Problem } from "./request.js";

type SubmissionWrapper = <T>(form: HTMLFormElement, send: () => Promise<T>) => Promise<T>;

let wrapSubmission: SubmissionWrapper = (_form, send) => send();

/** Sets what runs around the request of every `data-quiet` form. It must call `send` once and return its result. */
export function onQuietSubmission(wrapper: SubmissionWrapper): void {
  wrapSubmission = wrapper;
}

config.forms.confirm = (message, form) => confirmDialog(message, form.dataset["verb"] ?? "Yes");

// Reactions, answers, removals: sent by fetch, and the page shows what came of it.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (
    !(form instanceof HTMLFormElement) ||
    !form.hasAttribute("data-quiet") ||
    event.defaultPrevented
  )
    return;
  event.preventDefault();
  void send(form, event.submitter);
});

// A comment, an answer, a reason, a correction: what is typed is sent by the same keys.
document.addEventListener("keydown", (event) => {
  if (
    event.key !== "Enter" ||
    !(event.ctrlKey || event.metaKey) ||
    event.defaultPrevented ||
    !(event.target instanceof HTMLTextAreaElement)
  )
    return;
  const form = event.target.form;
  if (!form?.hasAttribute("data-quiet")) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector<HTMLButtonElement>("button:not([type=button])"));
});

/** Asks a question in a dialog; true for yes, which is called by what it does. `careful`: Enter says no. */
export async function confirmDialog(
  message: string,
  verb: string,
  careful = false,
): Promise<boolean> {
  return (await chooseAction(message, [verb], careful)) !== null;
}

/** Asks in a dialog what of several is to be done, each called by what it does, the likeliest last; null for none of it. Where work would be lost, Enter says none (`careful`). */
export function chooseAction<Verb extends string>(
  message: string,
  verbs: readonly Verb[],
  careful = false,
): Promise<Verb | null> {
  return new Promise((resolve) => {
    const buttons = verbs.map((verb, index) =>
      make(
        "button",
        { class: index === verbs.length - 1 ? "button main" : "button", value: verb },
        verb,
      ),
    );
    const cancel = make("button", { class: "button", value: "" }, "Cancel");
    const dialog = make(
      "dialog",
      { "aria-labelledby": "question", "data-turbo-temporary": true },
      make(
        "form",
        { method: "dialog", "data-turbo": "false" },
        make("p", { id: "question", class: "words" }, message),
        make("div", { class: "actions" }, cancel, ...buttons),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(verbs.find((verb) => verb === dialog.returnValue) ?? null);
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    (careful ? cancel : buttons.at(-1))?.focus();
  });
}

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  const asked = form.dataset["turboConfirm"];
  if (asked && !(await confirmDialog(asked, form.dataset["verb"] ?? "Yes"))) return;
  if (form.getAttribute("aria-busy") === "true") return; // Pressed twice: once is enough.
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter))
    if (typeof value === "string") data.append(name, value);
  // A guest's name is asked for once: with the comment, or when it is first missing.
  if (data.get("name") === "") {
    const name = document.querySelector<HTMLInputElement>("#guest-name")?.value.trim() ?? "";
    if (name === "") data.delete("name");
    else data.set("name", name);
  }
  const address =
    submitter instanceof HTMLButtonElement && submitter.hasAttribute("formaction")
      ? submitter.formAction
      : form.action;
  // The hidden `_method` is for browsers without scripts; here the request can say it itself.
  const method = data.get("_method") ?? "POST";
  data.delete("_method");
  form.setAttribute("aria-busy", "true");
  const row = form.closest("li");
  const near = row?.nextElementSibling ?? row?.previousElementSibling;
  try {
    const answer = await wrapSubmission(form, () => deliver(method, address, data));
    document.getElementById("complaint")?.remove();
    document.dispatchEvent(new CustomEvent("hearback:form-sent", { detail: { form, answer } }));
    form.closest("details")?.removeAttribute("open");
    for (const field of form.querySelectorAll("textarea")) field.defaultValue = field.value;
    if (data.has("name")) removeGuestNameFields();
    await refresh();
    // What was removed had the focus: what stands beside it takes it.
    if (row && !row.isConnected && document.activeElement === document.body)
      (
        near?.querySelector<HTMLElement>(".comment, button") ??
        document.querySelector<HTMLElement>(".drop input, textarea")
      )?.focus();
  } catch (error) {
    showError(error instanceof Problem ? error.message : "It was not sent. Try again in a moment.");
  } finally {
    form.removeAttribute("aria-busy");
  }
}

async function deliver(method: string, address: string, data: URLSearchParams): Promise<unknown> {
  try {
    return await requestJson(method, address, [...data.keys()].length > 0 ? data : undefined);
  } catch (error) {
    // A guest who reacts without having said who they are.
    if (!(error instanceof Problem) || error.errors["name"] === undefined || data.has("name"))
      throw error;
    const name = await askName();
    if (name === null) throw error;
    data.set("name", name);
    return requestJson(method, address, data);
  }
}

/** Asks a guest for their name; null when they would rather not. */
function askName(): Promise<string | null> {
  return new Promise((resolve) => {
    const input = make("input", {
      id: "asked-name",
      required: true,
      maxlength: "80",
      autocomplete: "name",
    });
    const cancel = make("button", { type: "button", class: "button" }, "Cancel");
    const form = make(
      "form",
      { method: "dialog", class: "stack", "data-turbo": "false" },
      make("div", { class: "field" }, make("label", { for: "asked-name" }, "Your name"), input),
      make(
        "div",
        { class: "actions" },
        cancel,
        make("button", { class: "button main", value: "yes" }, "Go on"),
      ),
    );
    const dialog = make(
      "dialog",
      { "aria-label": "Your name", "data-turbo-temporary": true },
      form,
    );
    cancel.addEventListener("click", () => dialog.close(""));
    dialog.addEventListener("close", () => {
      resolve(
        dialog.returnValue === "yes" && input.value.trim() !== "" ? input.value.trim() : null,
      );
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A guest said their name: nothing asks for it again. */
export function removeGuestNameFields(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>(
    ".composer input[name=name], .answer input[name=name]",
  ))
    input.closest(".field")?.remove();
}

/** Says what went wrong, where one looks, until it is put away or what was tried has worked. */
export function showError(text: string): void {
  document.getElementById("complaint")?.remove();
  const close = make("button", { type: "button", class: "button quiet" }, "Close");
  const box = make(
    "div",
    {
      id: "complaint",
      class: "problem complaint",
      role: "alert",
      "data-js": true,
      "data-turbo-temporary": true,
    },
    icon("circle-alert"),
    make("p"),
    close,
  );
  const words = box.querySelector("p");
  if (words) setMessage(words, text);
  close.addEventListener("click", () => box.remove());
  document.body.append(box);
}

// A filter that is chosen is applied.
document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement && event.target.hasAttribute("data-submit"))
    event.target.form?.requestSubmit();
});

// Words for those with scripts; and fields that grow with what is typed, where the browser does not do it itself.
function prepare(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-scripted]"))
    element.hidden = false;
}
document.addEventListener("turbo:load", prepare);
document.addEventListener("turbo:render", prepare);
document.addEventListener("hearback:refreshed", prepare);

if (!CSS.supports("field-sizing", "content")) {
  document.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLTextAreaElement) || !target.hasAttribute("data-grow")) return;
    target.style.height = "auto";
    target.style.height = `${target.scrollHeight + 2}px`;
  });
}
