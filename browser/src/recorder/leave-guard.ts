// Prevents the person from leaving the page by accident during a recording.
import { visit } from "@hotwired/turbo";
import { draft } from "../compose/draft.js";
import { confirmDialog } from "../lib/dialogs.js";
import type { RecorderState } from "./view.js";

interface GuardedRecorder {
  readonly state: RecorderState;
  readonly busy: boolean;
  finish(): Promise<boolean>;
}

export function guardLeaving(recorder: GuardedRecorder, signal: AbortSignal): void {
  addEventListener(
    "beforeunload",
    (event) => {
      if (recorder.busy) event.preventDefault();
    },
    { signal },
  );
  addEventListener(
    "pagehide",
    () => {
      if (recorder.state === "asking" || recorder.state === "counting") draft.current?.abandon();
    },
    { signal },
  );
  document.addEventListener(
    "turbo:before-visit",
    (event) => {
      // Do not ask during the countdown, because nothing is recorded yet.
      if (!recorder.busy || recorder.state === "counting") return;
      event.preventDefault();
      void confirmLeaving(recorder, event.detail.url);
    },
    { signal },
  );
}

async function confirmLeaving(recorder: GuardedRecorder, url: string): Promise<void> {
  const isFinishing = recorder.state === "finishing";
  const confirmed = await confirmDialog(
    isFinishing
      ? "The last part of your recording is still uploading. Leave this page when it’s done?"
      : "You are recording. Stop and leave? The recording is kept as a draft.",
    isFinishing ? "Leave when it’s done" : "Stop and leave",
  );
  if (confirmed && (await recorder.finish())) visit(url);
}
