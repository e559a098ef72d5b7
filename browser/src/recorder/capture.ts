// Getting at screens, cameras and microphones, and the words for why one cannot be had.
import { withDeadline } from "../lib/deadline.js";

/** A screen, window or tab; the same with the camera in a bubble on top; the camera alone. */
export type Source = "screen" | "both" | "camera";
export type Device = "microphone" | "camera";

/** Why something cannot be captured, in words for the person. */
export class Refusal extends Error {}

/** Something did not answer in time. Trying again may help. */
export class Unanswered extends Refusal {}

/** What this browser can record here. */
export type Ability = "all" | "camera" | "phone" | "insecure" | "nothing";

export function ability(): Ability {
  if (!isSecureContext) return "insecure";
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (media === undefined || !("MediaRecorder" in window)) return "nothing";
  if ("getDisplayMedia" in media) return "all";
  // No phone's browser gives its screen; its own camera program films better than a page does.
  return matchMedia("(pointer: coarse)").matches ? "phone" : "camera";
}

/** The words for a browser that cannot do all of it. */
export const unable: Record<Exclude<Ability, "all">, string> = {
  insecure: "Browsers record only over https. Ask your admin for that address. Upload works here.",
  phone: "A phone’s browser cannot record its screen. Its camera and its videos work here.",
  camera: "This browser cannot record a screen. Its camera works here, and so does Upload.",
  nothing: "This browser cannot record. Firefox, Chrome, Edge and Safari can. Upload works here.",
};

/** A screen, window or tab of the person's choice; within 1920 × 1080 unless all of it is wanted. Needs the click that it follows from. */
export async function screen(sound: boolean, whole = false): Promise<MediaStream> {
  const controller = "CaptureController" in window ? new CaptureController() : undefined;
  const options = {
    video: whole
      ? true
      : { frameRate: { ideal: 30, max: 30 }, width: { max: 1920 }, height: { max: 1080 } },
    // What is played is not a voice: nothing of it is to be taken for noise.
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
      // One sees the 3-2-1 before one goes to what is shown: nobody speaks before it records.
      controller?.setFocusBehavior("no-focus-change");
    } catch {
      // Only tabs and windows can be left where they are.
    }
    return stream;
  } catch (error) {
    throw new Refusal(screenWords(error));
  }
}

function screenWords(error: unknown): string {
  const { name = "", message = "" } = error instanceof Error ? error : {};
  if (name === "NotAllowedError" && /system/i.test(message))
    return "Your system does not let the browser see the screen. Allow it in the system’s settings, under privacy, then try again.";
  if (name === "NotAllowedError" && /policy/i.test(message))
    return "This browser was set up not to share screens. Ask whoever looks after it.";
  if (name === "NotAllowedError")
    return "No screen was shared, so nothing is recorded. Press again and choose a screen, window or tab.";
  if (name === "NotFoundError") return "There is no screen that the browser could share.";
  if (name === "NotReadableError")
    return "The system did not give the screen. Close other programs that record it, then try again.";
  return `The screen could not be shared (${message || name}). Try again.`;
}

/** Milliseconds that a device has to answer. */
const devicePatience = 10_000;

/** Of a bubble few pixels are seen; all of a larger picture would be converted, thirty times a second. */
const cameraSize = {
  bubble: { width: { ideal: 640 }, height: { ideal: 480 } },
  whole: { width: { ideal: 1280 }, height: { ideal: 720 } },
};

/** The microphone or camera of that id, or the usual one where it is gone. */
export async function device(
  kind: Device,
  id: string,
  size: keyof typeof cameraSize,
): Promise<MediaStream> {
  const wanted = id === "" ? {} : { deviceId: { exact: id } };
  const constraints =
    kind === "camera"
      ? { video: { ...wanted, ...cameraSize[size], frameRate: { ideal: 30 } } }
      : { audio: { ...wanted } };
  try {
    return await answered(kind, navigator.mediaDevices.getUserMedia(constraints));
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (id !== "" && (name === "OverconstrainedError" || name === "NotFoundError"))
      return device(kind, "", size);
    throw new Refusal(deviceWords(kind, name, error instanceof Error ? error.message : ""));
  }
}

/** Gives up a device that does not answer, counted from when the page may use it: the person may take their time to allow that. */
async function answered(kind: Device, asked: Promise<MediaStream>): Promise<MediaStream> {
  const late = new DOMException("", "AbortError");
  const inTime = permitted(kind).then(() => withDeadline(asked, devicePatience, () => late));
  try {
    return await Promise.race([asked, inTime]);
  } catch (error) {
    // Given back when it comes after all.
    if (error === late) void asked.then(release, () => undefined);
    throw error;
  }
}

/** Resolves once the page may use the microphone or camera; never where the browser does not tell. */
async function permitted(kind: Device): Promise<void> {
  const status = await navigator.permissions.query({ name: kind }).catch(() => null);
  if (status?.state === "granted") return;
  await new Promise<void>((resolve) =>
    status?.addEventListener("change", () => {
      if (status.state === "granted") resolve();
    }),
  );
}

function deviceWords(kind: Device, name: string, message: string): string {
  const without =
    kind === "microphone" ? "or record without sound of yours" : "or record the screen alone";
  if (name === "NotAllowedError" && /system/i.test(message))
    return `Your system does not let the browser use the ${kind}. Allow it in the system’s settings, under privacy, ${without}.`;
  if (name === "NotAllowedError")
    return `This page may not use the ${kind}. Allow it beside the address, then choose it again, ${without}.`;
  if (name === "NotFoundError") return `There is no ${kind}. Plug one in, ${without}.`;
  if (name === "NotReadableError" || name === "AbortError")
    return `The ${kind} does not answer. Another program may be using it: close that, then choose it again, ${without}.`;
  return `The ${kind} could not be used (${message || name}). Choose another, ${without}.`;
}

/** All microphones or cameras, by id and name. Names are there once one was allowed. */
export async function devices(kind: Device): Promise<{ id: string; name: string }[]> {
  const wanted = kind === "camera" ? "videoinput" : "audioinput";
  const found = (await navigator.mediaDevices.enumerateDevices()).filter(
    (one) => one.kind === wanted && one.deviceId !== "",
  );
  return found.map((one, index) => ({
    id: one.deviceId,
    name: one.label || `${kind === "camera" ? "Camera" : "Microphone"} ${index + 1}`,
  }));
}

/** Lets go of what was captured. */
export function release(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
