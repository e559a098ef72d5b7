// Access to screens, cameras and microphones, and messages for failures.
import { withDeadline } from "../lib/deadline.js";
import { identifyOwnTab } from "./own-tab.js";

/** `screen`: a screen, window or tab. `both`: the same, with the camera in a bubble. `camera`: only the camera. */
export type RecordingSource = "screen" | "both" | "camera";
export type DeviceKind = "microphone" | "camera";

/** Thrown if a source cannot be captured. The message is meant for the user. */
export class CaptureError extends Error {}

/** Thrown if a device, the browser or the server does not respond in time. Retrying may help. */
export class TimeoutError extends CaptureError {}

/**
 * Asks the person to choose a screen, window or tab to share. Unless `fullSize` is set, scales the
 * picture down to at most 1920 × 1080 pixels. Must be called while a click is being handled.
 * Rejects with a `CaptureError`.
 */
export async function captureScreen(sound: boolean, fullSize = false): Promise<MediaStream> {
  identifyOwnTab();
  const controller = "CaptureController" in window ? new CaptureController() : undefined;
  const options = {
    video: fullSize
      ? true
      : { frameRate: { ideal: 30, max: 30 }, width: { max: 1920 }, height: { max: 1080 } },
    // The shared audio is not just a voice. Noise suppression and similar processing would distort it.
    audio: sound
      ? { echoCancellation: false, noiseSuppression: false, autoGainControl: false }
      : false,
    selfBrowserSurface: "include",
    surfaceSwitching: "include",
    systemAudio: "include",
    controller,
  };
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia(options);
    try {
      // Keep this page in front, so that the person sees the countdown and does not speak before the recording begins.
      controller?.setFocusBehavior("no-focus-change");
    } catch {
      // The call throws if the person shares a whole screen. Ignore that, because sharing a screen does not move the
      // focus.
    }
    return stream;
  } catch (error) {
    throw new CaptureError(screenErrorMessage(error));
  }
}

function screenErrorMessage(error: unknown): string {
  const { name = "", message = "" } = error instanceof Error ? error : {};
  if (name === "NotAllowedError" && /system/i.test(message))
    return "Your system does not let the browser record the screen. Allow it in the system’s privacy settings, then try again.";
  if (name === "NotAllowedError" && /policy/i.test(message))
    return "This browser is configured not to share screens. Ask the person who manages it.";
  if (name === "NotAllowedError")
    return "No screen was shared, so nothing is recorded. Press again and choose a screen, window or tab.";
  if (name === "NotFoundError") return "The browser found no screen to share.";
  if (name === "NotReadableError")
    return "The system did not share the screen. Close other programs that record it, then try again.";
  return `The screen could not be shared (${message || name}). Try again.`;
}

/** How long a device may take to respond, in milliseconds. */
const deviceTimeout = 10_000;

/**
 * The camera sizes to request, in pixels. The smaller size is enough for a bubble and saves work, because each pixel is
 * converted thirty times a second.
 */
const cameraSizes = {
  bubble: { width: { ideal: 640 }, height: { ideal: 480 } },
  whole: { width: { ideal: 1280 }, height: { ideal: 720 } },
};

/**
 * Opens the microphone or camera with this id, or the default one if the id does not exist. Rejects with a
 * `CaptureError`.
 */
export async function captureDevice(
  kind: DeviceKind,
  id: string,
  size: keyof typeof cameraSizes,
): Promise<MediaStream> {
  const wanted = id === "" ? {} : { deviceId: { exact: id } };
  const constraints =
    kind === "camera"
      ? { video: { ...wanted, ...cameraSizes[size], frameRate: { ideal: 30 } } }
      : { audio: { ...wanted } };
  try {
    return await withDeviceTimeout(kind, navigator.mediaDevices.getUserMedia(constraints));
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (id !== "" && (name === "OverconstrainedError" || name === "NotFoundError"))
      return captureDevice(kind, "", size);
    throw new CaptureError(
      deviceErrorMessage(kind, name, error instanceof Error ? error.message : ""),
    );
  }
}

/** Rejects if a device does not respond in time. The time that the person takes to grant permission does not count. */
async function withDeviceTimeout(
  kind: DeviceKind,
  request: Promise<MediaStream>,
): Promise<MediaStream> {
  const late = new DOMException("", "AbortError");
  const inTime = permissionGranted(kind).then(() =>
    withDeadline(request, deviceTimeout, () => late),
  );
  try {
    return await Promise.race([request, inTime]);
  } catch (error) {
    // If the stream arrives after the deadline, stop it.
    if (error === late) void request.then(stopTracks, () => undefined);
    throw error;
  }
}

/** Resolves once the page has permission. Never resolves if the browser does not report permissions. */
async function permissionGranted(kind: DeviceKind): Promise<void> {
  const status = await navigator.permissions.query({ name: kind }).catch(() => null);
  if (status?.state === "granted") return;
  await new Promise<void>((resolve) =>
    status?.addEventListener("change", () => {
      if (status.state === "granted") resolve();
    }),
  );
}

function deviceErrorMessage(kind: DeviceKind, name: string, message: string): string {
  const without =
    kind === "microphone" ? "or record without a microphone" : "or record the screen alone";
  if (name === "NotAllowedError" && /system/i.test(message))
    return `Your system does not let the browser use the ${kind}. Allow it in the system’s privacy settings, ${without}.`;
  if (name === "NotAllowedError")
    return `This page is not allowed to use the ${kind}. Allow it next to the address, then choose it again, ${without}.`;
  if (name === "NotFoundError") return `There is no ${kind}. Plug one in, ${without}.`;
  if (name === "NotReadableError" || name === "AbortError")
    return `The ${kind} is not responding. Another program may be using it: close that, then choose it again, ${without}.`;
  return `The ${kind} could not be used (${message || name}). Choose another, ${without}.`;
}

/** Lists all microphones or cameras. Browsers hide their names until the page has permission to use one of them. */
export async function listDevices(kind: DeviceKind): Promise<{ id: string; name: string }[]> {
  const wanted = kind === "camera" ? "videoinput" : "audioinput";
  const found = (await navigator.mediaDevices.enumerateDevices()).filter(
    (one) => one.kind === wanted && one.deviceId !== "",
  );
  return found.map((one, index) => ({
    id: one.deviceId,
    name: one.label || `${kind === "camera" ? "Camera" : "Microphone"} ${index + 1}`,
  }));
}

export function stopTracks(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
