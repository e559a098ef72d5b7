// The captured sources of a recording: the microphone and camera, the shared screen, the mixed sound, and the resulting
// picture.
import type { Attempt } from "./attempt.js";
import { AudioMixer } from "./audio-mixer.js";
import type { Bubble } from "./camera-bubble.js";
import { CaptureError, captureScreen, type DeviceKind, stopTracks } from "./capture.js";
import { Devices } from "./devices.js";
import { RecorderPicture } from "./picture.js";
import type { RecorderView } from "./view.js";

const sharingEndedMessage = "The screen is no longer shared";

export interface SourceCallbacks {
  /** The camera was connected or released. */
  cameraChanged(): void;
  /** A device could not be used. `retry` requests it again. */
  deviceFailed(error: unknown, retry: () => void): void;
  /** A device that was in use was unplugged. */
  deviceLost(kind: DeviceKind): void;
  /**
   * The shared screen or the picture ended unexpectedly. `reason` is a clause without a period, such as "The video
   * stopped".
   */
  ended(reason: string): void;
  /** A source delivered its first frame. */
  arrived(): void;
}

export class RecorderSources {
  readonly devices: Devices;
  #mixer: AudioMixer | null = null;
  #screen: MediaStream | null = null;
  #picture: RecorderPicture | null = null;
  #sound: MediaStreamTrack | null = null;

  constructor(
    view: RecorderView,
    private readonly callbacks: SourceCallbacks,
  ) {
    this.devices = new Devices(view, {
      changed: (kind) => {
        if (kind === "microphone") this.#mixer?.setMicrophone(this.devices.stream(kind));
        else callbacks.cameraChanged();
      },
      failed: (error, retry) => callbacks.deviceFailed(error, retry),
      lost: (kind) => callbacks.deviceLost(kind),
    });
  }

  get mixer(): AudioMixer | null {
    return this.#mixer;
  }

  get screen(): MediaStream | null {
    return this.#screen;
  }

  get picture(): RecorderPicture | null {
    return this.#picture;
  }

  /** The audio track to record. */
  get sound(): MediaStreamTrack | null {
    return this.#sound;
  }

  /** Why a recording failed: either the shared screen ended, or the browser stopped recording. */
  get failureReason(): string {
    return this.#screen?.getVideoTracks()[0]?.readyState === "ended"
      ? sharingEndedMessage
      : "The browser stopped recording";
  }

  /** Starts the audio mixer, so that the microphone's level is shown. */
  open(): void {
    this.#mixer ??= new AudioMixer();
  }

  /** Asks the person to choose a screen, window or tab to share. */
  async shareScreen(attempt: Attempt, withSound: boolean): Promise<void> {
    const stream = await attempt.acquire(captureScreen(withSound), stopTracks);
    this.#screen = stream;
    stream.getVideoTracks()[0]?.addEventListener("ended", () => {
      if (this.#screen === stream) this.callbacks.ended(sharingEndedMessage);
    });
    this.#mixer?.setSharedAudio(stream);
  }

  /** Creates the video track from the screen, the camera or both. `worker` is the URL of compositor-worker.ts. */
  async makePicture(
    attempt: Attempt,
    options: { withCamera: boolean; worker: string; bubble: Bubble },
  ): Promise<RecorderPicture> {
    const screen = this.#screen?.getVideoTracks()[0] ?? null;
    // If the camera is missing, only the screen is recorded. The page has already shown the reason.
    const camera = options.withCamera ? this.devices.track("camera") : null;
    if (!screen && !camera)
      throw (
        this.devices.errorOf("camera") ??
        new CaptureError("There is no camera to record. Plug one in, or record your screen.")
      );
    const picture = await attempt.acquire(
      RecorderPicture.begin(options.worker, { screen, camera }, options.bubble),
      (unused) => unused.close(),
    );
    picture.addEventListener("failed", () => {
      if (this.#picture !== picture) return;
      const both = camera && screen;
      this.callbacks.ended(both ? "The camera could no longer be shown" : "The video stopped");
    });
    picture.addEventListener("arrived", () => {
      if (this.#picture === picture) this.callbacks.arrived();
    });
    this.#picture = picture;
    return picture;
  }

  async mixSound(attempt: Attempt): Promise<void> {
    this.#sound = await attempt.acquire(this.#mixer?.track() ?? Promise.resolve(null));
  }

  /**
   * Throws if a source has already ended, because its part of the recording would be black or
   * silent.
   */
  assertLive(): void {
    const screens = this.#screen?.getVideoTracks() ?? [];
    for (const track of [this.#picture?.track, this.#sound, ...screens])
      if (track && track.readyState !== "live")
        throw new CaptureError(
          "What you share ended before the recording started. Press Record again.",
        );
  }

  /** Releases the sources captured for one recording. Devices stay in use for the next recording. */
  releaseRecording(): void {
    this.#picture?.close();
    stopTracks(this.#screen);
    this.#mixer?.setSharedAudio(null);
    this.#picture = this.#screen = this.#sound = null;
  }

  close(): void {
    this.#picture?.close();
    this.#mixer?.close();
    stopTracks(this.#screen);
    this.#sound?.stop();
    this.#picture = this.#mixer = this.#screen = this.#sound = null;
    for (const kind of ["microphone", "camera"] as const) this.devices.release(kind);
  }
}
