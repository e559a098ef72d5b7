// A quiet form with `data-done` shows this text once it is sent. For ten seconds, the person can undo the action, which
// sends a DELETE request to the address in `data-undo`.
import { announce } from "./dom.js";
import { showError } from "./error-banner.js";
import { refresh } from "./refresh.js";
import { requestJson } from "./request.js";
import { showUndoNotice } from "./undo-notice.js";

document.addEventListener("hearback:form-sent", ({ detail: { form } }) => {
  const { done, undo } = form.dataset;
  if (done === undefined || undo === undefined) return;
  const rowId = form.closest("li")?.id ?? "";
  showUndoNotice(done, () => undoAction(undo, rowId));
});

/** Undoes the action, and focuses the row to which it belonged. */
async function undoAction(url: string, rowId: string): Promise<void> {
  try {
    await requestJson("DELETE", url);
  } catch (error) {
    return showError(error instanceof Error ? error.message : String(error));
  }
  await refresh();
  document.getElementById(rowId)?.focus();
  announce("Undone.");
}
