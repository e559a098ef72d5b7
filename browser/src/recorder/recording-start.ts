// Starts a recorder on what delivers, so that it never waits for what does not.
import { Unanswered } from "./capture.js";
import type { RecordingUploader } from "../upload/recording-uploader.js";
import { withFallback } from "../lib/deadline.js";
import { Recording } from "./recording.js";
import type { RecorderPicture } from "./picture.js";
import type { SoundProbe } from "./audio-probe.js";
import { showsPicture } from "./track-witness.js";

/** Milliseconds. A recorder that has what it needs hands out its first bytes in a fraction of the first; then another recorder takes its place. */
const patience = { first: 700, busy: 4_300, again: 5_000 };

const unstarted =
  "Your browser didn't start recording, so nothing is recorded. Try again, or choose another screen, camera or microphone.";

export interface Ingredients {
  picture: RecorderPicture;
  sound: { track: MediaStreamTrack; probe: SoundProbe } | null;
  courier: RecordingUploader;
  /** Shows the picture. */
  preview: HTMLVideoElement;
  /** Called when the picture's track is another one. */
  composed: () => void;
  /** Aborted when the attempt is called off: no other recorder is tried then. */
  signal: AbortSignal;
}

/**
 * Resolves when it records. A picture that has not come yet is composed, and black until it comes; sound that does not come is left out
 * (`hasSound`). Rejects with words if nothing helps.
 */
export async function startRecording({
  picture,
  sound,
  courier,
  preview,
  composed,
  signal,
}: Ingredients): Promise<{ recording: Recording; hasSound: boolean }> {
  const compose = async (): Promise<void> => {
    await picture.compose(preview);
    composed();
  };
  const start = (withSound: boolean): { recording: Recording; started: Promise<boolean> } => {
    picture.fixSize();
    const recording = new Recording(
      new MediaStream(sound && withSound ? [picture.track, sound.track] : [picture.track]),
      courier,
    );
    return { recording, started: recording.start().then(() => true) };
  };
  if (!picture.isComposed && !showsPicture(preview)) await compose();
  // A recorder waits for each of its tracks: sound that did not come while it counted is left out.
  let hasSound = sound?.probe.delivers ?? false;
  let { recording, started } = start(hasSound);
  try {
    if (await withFallback(started, patience.first, false)) return { recording, hasSound };
    // A composed picture delivers: the machine is just busy.
    if (picture.isComposed && (await withFallback(started, patience.busy, false)))
      return { recording, hasSound };
    for (const isLast of [false, true]) {
      // A recorder that did not start in time may never do so.
      recording.abandon();
      signal.throwIfAborted();
      if (!picture.isComposed) await compose();
      hasSound &&= !isLast;
      ({ recording, started } = start(hasSound));
      if (await withFallback(started, patience.again, false)) return { recording, hasSound };
    }
    throw new Unanswered(unstarted);
  } catch (error) {
    recording.abandon();
    throw error;
  }
}
