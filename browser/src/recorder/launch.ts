// Counts down and starts a recording.
import { announce } from "../lib/dom.js";
import type { Attempt } from "./attempt.js";
import { SoundProbe } from "./audio-probe.js";
import { countdown } from "./countdown.js";
import { isOwnTab } from "./own-tab.js";
import type { RecorderPicture } from "./picture.js";
import type { Recording } from "./recording.js";
import { startRecording } from "./recording-start.js";
import type { RecorderSources } from "./sources.js";
import { showInTab } from "./tab-indicator.js";
import type { RecorderView } from "./view.js";

export interface Launch {
  attempt: Attempt;
  sources: RecorderSources;
  picture: RecorderPicture;
  view: RecorderView;
  /** Resolves when the new upload may be created. */
  before: Promise<void>;
  showError: (error: unknown) => void;
}

/**
 * Counts down from 3 and starts the recorder. The draft and the upload are created during the countdown, so that they
 * exist before the first second is recorded. `hasLostSound` means that a microphone or shared sound is connected but
 * delivers no audio.
 */
export async function launchRecording({
  attempt,
  sources,
  picture,
  view,
  before,
  showError,
}: Launch): Promise<{ recording: Recording; hasLostSound: boolean }> {
  const prepared = attempt.prepare(before, showError);
  const sound = sources.sound && {
    track: sources.sound,
    probe: new SoundProbe(sources.sound),
  };
  attempt.signal.addEventListener("abort", () => sound?.probe.close(), { once: true });
  await attempt.acquire(countdown((number) => showNumber(view, number), attempt.signal));
  view.showCountdown("…");
  const uploader = await prepared;
  sources.assertLive();
  // Hide the countdown before the recording begins, because the shared screen may show this page.
  if (sources.screen && document.visibilityState === "visible") {
    const previewsOwnTab = isOwnTab(sources.screen.getVideoTracks()[0]);
    await attempt.acquire(view.hideCountdown(previewsOwnTab));
  }
  const { recording, hasSound } = await attempt.acquire(
    startRecording({
      picture,
      sound,
      uploader,
      preview: view.part<HTMLVideoElement>("preview"),
      onComposed: () => {
        if (!attempt.signal.aborted) view.showPreview(picture.track);
      },
      signal: attempt.signal,
    }),
    (started) => void started.recording.stop(),
  );
  sound?.probe.close();
  attempt.markRunning();
  return { recording, hasLostSound: sound !== null && !hasSound };
}

function showNumber(view: RecorderView, number: number): void {
  view.showCountdown(String(number));
  showInTab(`${number} …`);
  announce(String(number));
}
