// Requests and replaces the microphone and the camera, and handles devices that are unplugged.
import { withFallback } from "../lib/deadline.js";
import { captureDevice, type DeviceKind, listDevices, stopTracks } from "./capture.js";
import type { RecorderView } from "./view.js";

/** How long the browser may take to list the devices, in milliseconds. */
const listTimeout = 2000;

export interface DeviceCallbacks {
  /** A device was connected or released. */
  changed(kind: DeviceKind): void;
  /** A device could not be used. `retry` requests it again. */
  failed(error: unknown, retry: () => void): void;
  /** A device in use was unplugged. The device has already been released. */
  lost(kind: DeviceKind): void;
}

export class Devices {
  #streams: Record<DeviceKind, MediaStream | null> = { microphone: null, camera: null };
  /** Incremented by each request and release. A stream that arrives for an earlier request is stopped. */
  #requestIds: Record<DeviceKind, number> = { microphone: 0, camera: 0 };
  #errors: Record<DeviceKind, Error | null> = { microphone: null, camera: null };
  /**
   * The promise of the latest request. Each request waits for the previous one, so that the browser asks the person
   * about one device at a time.
   */
  #pending: Promise<void> = Promise.resolve();

  constructor(
    private readonly view: RecorderView,
    private readonly callbacks: DeviceCallbacks,
  ) {}

  stream(kind: DeviceKind): MediaStream | null {
    return this.#streams[kind];
  }

  track(kind: DeviceKind): MediaStreamTrack | null {
    return this.#streams[kind]?.getTracks()[0] ?? null;
  }

  /** The error of the last request, or null if it succeeded. */
  errorOf(kind: DeviceKind): Error | null {
    return this.#errors[kind];
  }

  /** Resolves once all requests made so far have ended. */
  get settled(): Promise<void> {
    return this.#pending;
  }

  /** Requests the device with this id. An empty id means the default device; "none" means no device. */
  request(kind: DeviceKind, id: string): Promise<void> {
    this.release(kind);
    const requestId = this.#requestIds[kind];
    this.#pending = this.#pending
      .then(() => this.#connect(kind, id, requestId))
      .catch((error: unknown) => this.callbacks.failed(error, () => void this.request(kind, id)));
    return this.#pending;
  }

  async #connect(kind: DeviceKind, id: string, requestId: number): Promise<void> {
    const isCurrent = (): boolean => requestId === this.#requestIds[kind];
    const stream = isCurrent() && id !== "none" ? await this.#capture(kind, id, isCurrent) : null;
    if (!isCurrent()) return stopTracks(stream);
    this.#streams[kind] = stream;
    stream?.getTracks()[0]?.addEventListener("ended", () => {
      if (this.#streams[kind] !== stream) return;
      this.release(kind);
      this.callbacks.lost(kind);
    });
    this.callbacks.changed(kind);
    await withFallback(this.updateList(), listTimeout, undefined);
  }

  async #capture(
    kind: DeviceKind,
    id: string,
    isCurrent: () => boolean,
  ): Promise<MediaStream | null> {
    try {
      const size = this.view.source === "both" ? "bubble" : "whole";
      const stream = await captureDevice(kind, id, size);
      this.view.showProblem("");
      return stream;
    } catch (error) {
      if (!isCurrent()) return null;
      const reason = error instanceof Error ? error : new Error(String(error));
      this.#errors[kind] = reason;
      this.callbacks.failed(reason, () => void this.request(kind, id));
      return null;
    }
  }

  release(kind: DeviceKind): void {
    this.#requestIds[kind] += 1;
    stopTracks(this.#streams[kind]);
    this.#streams[kind] = null;
    this.#errors[kind] = null;
    this.callbacks.changed(kind);
  }

  /** Shows the available microphones and cameras, and marks those in use. */
  async updateList(): Promise<void> {
    for (const kind of ["microphone", "camera"] as const)
      this.view.showDevices(
        kind,
        await listDevices(kind),
        this.track(kind)?.getSettings().deviceId ?? "none",
      );
  }
}

/**
 * Returns the message that a device was unplugged. `replacement` is the name of the device that replaced it.
 * `cancelled` means that the loss of the camera ended an attempt to record.
 */
export function lostDeviceMessage(
  kind: DeviceKind,
  {
    replacement,
    isRecording,
    cancelled,
  }: { replacement: string | undefined; isRecording: boolean; cancelled: boolean },
): string {
  const without = isRecording
    ? "The recording continues without it."
    : "Plug one in, or record without it.";
  const next = replacement ? `“${replacement}” is being used now.` : without;
  return cancelled
    ? `The camera was unplugged before the recording started. ${next} Press Record again.`
    : `The ${kind} was unplugged. ${next}`;
}
