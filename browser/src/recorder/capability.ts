// Detects what this browser can record, and explains what it cannot record.

/**
 * What this browser can record. `phone`: the person should use the phone's camera app instead. `insecure`: nothing,
 * because the page is not served over HTTPS.
 */
export type Capability = "all" | "camera" | "phone" | "insecure" | "nothing";

export function detectCapability(): Capability {
  if (!isSecureContext) return "insecure";
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (media === undefined || !("MediaRecorder" in window)) return "nothing";
  if ("getDisplayMedia" in media) return "all";
  // On a phone, browsers cannot share the screen, and the camera app records better video than a page can.
  return matchMedia("(pointer: coarse)").matches ? "phone" : "camera";
}

/** Explanations of what a browser cannot record. */
export const limitationMessages: Record<Exclude<Capability, "all">, string> = {
  insecure: "Browsers record only over https. Ask your admin to set it up, or upload a file.",
  phone: "Phone browsers cannot record the screen. Record with the camera, or upload a video.",
  camera: "This browser cannot record the screen. Record with the camera, or upload a file.",
  nothing: "This browser cannot record. Use Firefox, Chrome, Edge or Safari, or upload a file.",
};
