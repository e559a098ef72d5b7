// Forms marked `data-quiet` are sent with fetch, and the page is refreshed in place. Examples: reactions, answers,
// removals.
import { askGuestName, confirmDialog } from "./dialogs.js";
import { hideError, showError } from "./error-banner.js";
import { sendWhenConnected, waitingMessage } from "./offline.js";
import { refresh } from "./refresh.js";
import { Problem, requestJson } from "./request.js";

type SubmissionWrapper = <T>(form: HTMLFormElement, send: () => Promise<T>) => Promise<T>;

let wrapSubmission: SubmissionWrapper = (_form, send) => send();

/** Sets a wrapper for the request of every quiet form. The wrapper must call `send` once and return its result. */
export function onQuietSubmission(wrapper: SubmissionWrapper): void {
  wrapSubmission = wrapper;
}

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

// Ctrl+Enter in a text area submits its quiet form.
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

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  const question = form.dataset["turboConfirm"];
  if (question && !(await confirmDialog(question, form.dataset["verb"] ?? "Yes"))) return;
  await sendConfirmed(form, submitter);
}

async function sendConfirmed(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  if (form.getAttribute("aria-busy") === "true") return; // the second click of a double click
  const { method, url, data } = readRequest(form, submitter);
  form.setAttribute("aria-busy", "true");
  const row = form.closest("li");
  const neighbor = row?.nextElementSibling ?? row?.previousElementSibling;
  try {
    const answer = await wrapSubmission(form, () => sendAskingName(method, url, data));
    hideError();
    document.dispatchEvent(new CustomEvent("hearback:form-sent", { detail: { form, answer } }));
    form.closest("details")?.removeAttribute("open");
    for (const field of form.querySelectorAll("textarea")) field.defaultValue = field.value;
    if (data.has("name")) removeGuestNameFields();
    await refresh();
    // If the focused row was removed, move the focus to its neighbor.
    if (row && !row.isConnected && document.activeElement === document.body)
      (
        neighbor?.querySelector<HTMLElement>(".comment, button") ??
        document.querySelector<HTMLElement>(".drop input, textarea")
      )?.focus();
  } catch (error) {
    if (sendWhenConnected(form, error, () => void sendConfirmed(form, submitter)))
      showError(waitingMessage(), true);
    else
      showError(
        error instanceof Problem
          ? error.message
          : "Your input was not sent. Try again in a moment.",
      );
  } finally {
    form.removeAttribute("aria-busy");
  }
}

/** Returns the request, without files, that the browser would send for this form. */
function readRequest(
  form: HTMLFormElement,
  submitter: HTMLElement | null,
): { method: string; url: string; data: URLSearchParams } {
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter))
    if (typeof value === "string") data.append(name, value);
  // A guest types their name only once. An empty name field gets the name typed for a comment on the same page.
  if (data.get("name") === "") {
    const name = document.querySelector<HTMLInputElement>("#guest-name")?.value.trim() ?? "";
    if (name === "") data.delete("name");
    else data.set("name", name);
  }
  const url =
    submitter instanceof HTMLButtonElement && submitter.hasAttribute("formaction")
      ? submitter.formAction
      : form.action;
  // The hidden field `_method` is for browsers without scripts; fetch can send the real method.
  const method = data.get("_method") ?? "POST";
  data.delete("_method");
  return { method, url, data };
}

/** Sends the request. If the server needs a guest's name, asks for it, adds it to `data` and sends again. */
async function sendAskingName(
  method: string,
  url: string,
  data: URLSearchParams,
): Promise<unknown> {
  try {
    return await requestJson(method, url, [...data.keys()].length > 0 ? data : undefined);
  } catch (error) {
    if (!(error instanceof Problem) || error.errors["name"] === undefined || data.has("name"))
      throw error;
    const name = await askGuestName();
    if (name === null) throw error;
    data.set("name", name);
    return requestJson(method, url, data);
  }
}

/** Removes the name fields once the server knows the guest's name. */
export function removeGuestNameFields(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>(
    ".composer input[name=name], .answer input[name=name]",
  ))
    input.closest(".field")?.remove();
}
