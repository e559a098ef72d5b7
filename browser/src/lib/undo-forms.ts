// A quiet form with `data-done` shows this text once it is sent. For ten seconds, the person can undo the action, which
// sends a DELETE request to the address in `data-undo`.
import { announce } from "./dom.js";
import { showUndoNotice } from "./undo-notice.js";

document.addEventListener("hearback:form-sent", ({ detail: { form } }) => {
  const { done, undo } = form.dataset;
  if (done === undefined || undo === undefined) return;
  const rowId = form.closest("li")?.id ?? "";
  showUndoNotice(done, undo, () => {
    // Focus the row to which the action belonged.
    document.getElementById(rowId)?.focus();
    announce("Undone.");
  });
});
