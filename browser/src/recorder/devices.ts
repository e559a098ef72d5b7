// The microphone and the camera that are in use: asked for, exchanged, unplugged.
import { type Device, device, devices, release } from "./capture.js";
import { withFallback } from "../lib/deadline.js";
import type { RecorderView } from "./view.js";

/** Milliseconds that the browser has to list the devices. */
const listPatience = 2000;

/** Who uses them hears of what becomes of them. */
export interface Told {
  /** Another one is there, or none. */
  changed: (kind: Device) => void;
  /** It could not be had; `again` asks once more. */
  refused: (error: unknown, again: () => void) => void;
  /** It was there and is no more. */
  lost: (kind: Device) => void;
}

export class Devices {
  #streams: Record<Device, MediaStream | null> = { microphone: null, camera: null };
  /** Counts how often each was asked for or given back: what comes after that is not wanted any more. */
  #turns: Record<Device, number> = { microphone: 0, camera: 0 };
  /** Why there is none, where it was asked for. */
  #refusals: Record<Device, Error | null> = { microphone: null, camera: null };
  /** The browser asks the person one question after the other. */
  #asked: Promise<void> = Promise.resolve();

  constructor(
    readonly view: RecorderView,
    readonly told: Told,
  ) {}

  of(kind: Device): MediaStream | null {
    return this.#streams[kind];
  }

  track(kind: Device): MediaStreamTrack | null {
    return this.#streams[kind]?.getTracks()[0] ?? null;
  }

  /** Why there is none, if it was asked for and could not be had. */
  refusal(kind: Device): Error | null {
    return this.#refusals[kind];
  }

  /** Resolves when nothing is being asked for. */
  get settled(): Promise<void> {
    return this.#asked;
  }

  /** Asks for the one of that id; empty is the usual one, "none" none. */
  take(kind: Device, id: string): Promise<void> {
    this.drop(kind);
    const turn = this.#turns[kind];
    const wanted = () => turn === this.#turns[kind];
    this.#asked = this.#asked
      .then(async () => {
        let stream: MediaStream | null = null;
        if (wanted() && id !== "none") {
          try {
            stream = await device(kind, id, this.view.source === "both" ? "bubble" : "whole");
            this.view.problem("");
          } catch (error) {
            if (wanted()) {
              const reason = error instanceof Error ? error : new Error(String(error));
              this.#refusals[kind] = reason;
              this.told.refused(reason, () => void this.take(kind, id));
            }
          }
        }
        if (!wanted()) return release(stream);
        this.#streams[kind] = stream;
        stream?.getTracks()[0]?.addEventListener("ended", () => {
          if (this.#streams[kind] !== stream) return;
          this.drop(kind);
          this.told.lost(kind);
        });
        this.told.changed(kind);
        await withFallback(this.list(), listPatience, undefined);
        // Whatever went wrong, the next one is asked for all the same.
      })
      .catch((error: unknown) => this.told.refused(error, () => void this.take(kind, id)));
    return this.#asked;
  }

  /** Gives it back. */
  drop(kind: Device): void {
    this.#turns[kind] += 1;
    release(this.#streams[kind]);
    this.#streams[kind] = null;
    this.#refusals[kind] = null;
    this.told.changed(kind);
  }

  /** Shows what can be chosen, and what is. */
  async list(): Promise<void> {
    for (const kind of ["microphone", "camera"] as const)
      this.view.devices(
        kind,
        await devices(kind),
        this.track(kind)?.getSettings().deviceId ?? "none",
      );
  }
}
