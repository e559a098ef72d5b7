// Forms marked `data-quiet` are sent with fetch, and the page is refreshed in place. Examples: reactions, answers,
// removals.
import { confirmDialog } from "./dialogs.js";
import { hideError, showError } from "./error-banner.js";
import { withGuestName } from "./guest-name.js";
import { sendWhenConnected, waitingMessage } from "./offline.js";
import { refresh, refreshComment } from "./refresh.js";
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

/** A form to send, as it was when the person pressed the button. The button may be gone when the request is sent. */
interface Submission {
  form: HTMLFormElement;
  /** The button if it is outside of its form, otherwise the form. The buttons of all comments share one form. */
  control: HTMLElement;
  request: { method: string; url: string; data: URLSearchParams };
  row: Element | null;
  neighbor: Element | null | undefined;
  refreshChanged: () => Promise<void>;
}

async function send(form: HTMLFormElement, submitter: HTMLElement | null): Promise<void> {
  const control = submitter && !form.contains(submitter) ? submitter : form;
  if (control.getAttribute("aria-busy") === "true") return; // the second click of a double click
  const row = control.closest("li");
  const submission: Submission = {
    form,
    control,
    request: readRequest(form, submitter),
    row,
    neighbor: row?.nextElementSibling ?? row?.previousElementSibling,
    refreshChanged: refresherOf(control),
  };
  const { confirm, verb } = submitter?.dataset ?? {};
  const question = confirm ?? form.dataset["turboConfirm"];
  if (question && !(await confirmDialog(question, verb ?? form.dataset["verb"] ?? "Yes"))) return;
  await sendConfirmed(submission, lasting(control));
}

/** `place` stays on the page while the request waits for the network. */
async function sendConfirmed(submission: Submission, place: HTMLElement): Promise<void> {
  const { form, control, request, row, neighbor, refreshChanged } = submission;
  const { method, url, data } = request;
  control.setAttribute("aria-busy", "true");
  try {
    const answer = await wrapSubmission(form, () =>
      withGuestName((name) => {
        if (name !== undefined) data.set("name", name);
        return requestJson(method, url, [...data.keys()].length > 0 ? data : undefined);
      }),
    );
    hideError();
    document.dispatchEvent(new CustomEvent("hearback:form-sent", { detail: { form, answer } }));
    control.closest("details:not(.resolved-thread)")?.removeAttribute("open");
    for (const field of form.querySelectorAll("textarea")) field.defaultValue = field.value;
    await refreshChanged();
    // If the focused row was removed, move the focus to its neighbor.
    if (row && !row.isConnected && document.activeElement === document.body)
      (
        neighbor?.querySelector<HTMLElement>(".comment, button") ??
        document.querySelector<HTMLElement>(".drop input, textarea")
      )?.focus();
  } catch (error) {
    if (sendWhenConnected(place, error, () => void sendConfirmed(submission, place)))
      showError(waitingMessage(), true);
    else
      showError(
        error instanceof Problem ? error.message : "That was not sent. Try again in a moment.",
      );
  } finally {
    control.removeAttribute("aria-busy");
  }
}

/** Returns the function that shows the effect of a form: it refreshes only the comment to which the form belongs. */
function refresherOf(control: HTMLElement): () => Promise<void> {
  const commentId = control.closest(".comment, .thread")?.id.replace(/^[ct]-/, "");
  return commentId === undefined ? refresh : () => refreshComment(commentId);
}

/** Returns an element that stays on the page while the request waits: for a button in a menu, the menu's opener. */
function lasting(control: HTMLElement): HTMLElement {
  return control.closest(".menu")?.querySelector<HTMLElement>("button[form=ask]") ?? control;
}

/** Returns the request, without files, that the browser would send for this form. */
function readRequest(
  form: HTMLFormElement,
  submitter: HTMLElement | null,
): { method: string; url: string; data: URLSearchParams } {
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter))
    if (typeof value === "string") data.append(name, value);
  // The field for a guest's name is for browsers without scripts.
  if (data.get("name") === "") data.delete("name");
  const url =
    submitter instanceof HTMLButtonElement && submitter.hasAttribute("formaction")
      ? submitter.formAction
      : form.action;
  // The hidden field `_method` is for browsers without scripts; fetch can send the real method.
  const method = data.get("_method") ?? "POST";
  data.delete("_method");
  return { method, url, data };
}
