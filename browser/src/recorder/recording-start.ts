// Starts a recorder on what delivers, so that it never waits for what does not.
import { Unanswered } from "./capture.js";
import type { Courier } from "../upload/recording-uploader.js";
import { withFallback } from "../lib/deadline.js";
import { Recording } from "./recording.js";
import type { RecorderPicture } from "./picture.js";
import type { SoundProbe } from "./audio-probe.js";
import { showsPicture } from "./track-witness.js";

/** Milliseconds. A recorder that has what it needs hands out its first bytes in a fraction of the first; then another recorder takes its place. */
const patience = { first: 700, unexplained: 4_300, again: 5_000 };

const unstarted =
  "Your browser didn't start recording, so nothing is recorded. Try again, or choose another screen, camera or microphone.";

export interface Ingredients {
  picture: RecorderPicture;
  sound: { track: MediaStreamTrack; probe: SoundProbe } | null;
  courier: Courier;
  /** Shows the picture. */
  preview: HTMLVideoElement;
  /** Called when the picture's track is another one. */
  composed: () => void;
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
  let { recording, started } = start(true);
  let hasSound = sound !== null;
  if (await withFallback(started, patience.first, false)) return { recording, hasSound };
  // Where nothing is known to be missing, the machine may just be busy.
  if (sound?.probe.delivers !== false && (await withFallback(started, patience.unexplained, false)))
    return { recording, hasSound };
  try {
    for (const isLast of [false, true]) {
      // A recorder that did not start in time may never do so.
      recording.abandon();
      if (!picture.isComposed) await compose();
      hasSound &&= !isLast && sound?.probe.delivers !== false;
      ({ recording, started } = start(hasSound));
      if (await withFallback(started, patience.again, false)) return { recording, hasSound };
    }
    throw new Unanswered(unstarted);
  } catch (error) {
    recording.abandon();
    throw error;
  }
}
