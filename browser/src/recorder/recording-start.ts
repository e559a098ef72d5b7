// Starts a recorder with only those tracks that deliver data. A recorder would wait forever for the others.
import { withFallback } from "../lib/deadline.js";
import type { RecordingUploader } from "../upload/recording-uploader.js";
import type { SoundProbe } from "./audio-probe.js";
import { TimeoutError } from "./capture.js";
import type { RecorderPicture } from "./picture.js";
import { Recording } from "./recording.js";
import { showsPicture } from "./track-probe.js";

/**
 * How long to wait for a recorder to start, in milliseconds. `first` applies to the first recorder;
 * a fraction of it is usually enough. `busy` is added if the first recorder's tracks are known to
 * deliver data. `again` applies to each recorder that replaces another.
 */
const timeouts = { first: 700, busy: 4_300, again: 5_000 };

const notStartedMessage =
  "Your browser didn’t start recording, so nothing is recorded. Try again, or choose another screen, camera or microphone.";

export interface RecordingInputs {
  picture: RecorderPicture;
  sound: { track: MediaStreamTrack; probe: SoundProbe } | null;
  uploader: RecordingUploader;
  /** The video element that previews the picture. */
  preview: HTMLVideoElement;
  /** Called when `picture` gets a different track. */
  onComposed: () => void;
  /** Aborted when the attempt is cancelled. After that, no further recorder is tried. */
  signal: AbortSignal;
}

/**
 * Starts a recording, and resolves once the recorder is running. A source that has not delivered a
 * frame yet is black until it does. If no sound has arrived, or if the recorder starts only without
 * sound, the recording has no sound, and `hasSound` is false. Rejects with a `CaptureError` if no
 * recorder starts.
 */
export async function startRecording(
  inputs: RecordingInputs,
): Promise<{ recording: Recording; hasSound: boolean }> {
  const { picture, sound, preview, signal } = inputs;
  if (!picture.isComposed && !showsPicture(preview)) await compose(inputs);
  let hasSound = sound?.probe.delivers ?? false;
  let { recording, started } = startRecorder(inputs, hasSound);
  try {
    if (await withFallback(started, timeouts.first, false)) return { recording, hasSound };
    // A composited picture always delivers frames, so a slow start means that the computer is busy. Wait longer.
    if (picture.isComposed && (await withFallback(started, timeouts.busy, false)))
      return { recording, hasSound };
    for (const isLast of [false, true]) {
      // Discard a recorder that did not start in time, because it may never start.
      recording.discard();
      signal.throwIfAborted();
      if (!picture.isComposed) await compose(inputs);
      hasSound &&= !isLast;
      ({ recording, started } = startRecorder(inputs, hasSound));
      if (await withFallback(started, timeouts.again, false)) return { recording, hasSound };
    }
    throw new TimeoutError(notStartedMessage);
  } catch (error) {
    recording.discard();
    throw error;
  }
}

async function compose({ picture, preview, onComposed }: RecordingInputs): Promise<void> {
  await picture.compose(preview);
  onComposed();
}

function startRecorder(
  { picture, sound, uploader }: RecordingInputs,
  withSound: boolean,
): { recording: Recording; started: Promise<boolean> } {
  picture.fixSize();
  const tracks = sound && withSound ? [picture.track, sound.track] : [picture.track];
  const recording = new Recording(new MediaStream(tracks), uploader);
  return { recording, started: recording.start().then(() => true) };
}
