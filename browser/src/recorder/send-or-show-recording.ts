// What happens to a finished recording: it is sent, shown on the page, or thrown away.
import { confirmDialog } from "../lib/dialogs.js";
import { announce, formatTime, isTextEntry } from "../lib/dom.js";
import { refresh } from "../lib/refresh.js";

/** Sends the update that contains the recording. */
export function sendUpdate(): void {
  const main = document.querySelector<HTMLButtonElement>("#update-form .button.main");
  main?.form?.requestSubmit(main);
}

/** Shows the recording on the page, and selects the title. */
export async function showRecorded(): Promise<void> {
  announce("Recorded.");
  await refresh();
  const title = document.querySelector<HTMLInputElement>("#title");
  // Do not take the focus from another field in which the person is typing.
  if (title && (document.activeElement === title || !isTextEntry(document.activeElement))) {
    title.focus();
    title.select();
  }
}

/** Asks whether to throw away a recording of this length, in milliseconds, and to begin again. */
export function confirmRestart(ms: number): Promise<boolean> {
  return confirmDialog(`Discard ${formatTime(ms)} of recording and start again?`, "Start again");
}
