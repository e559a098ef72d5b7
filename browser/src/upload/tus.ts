// Single requests of the tus protocol. They use XMLHttpRequest because fetch does not report upload progress, which is
// needed to detect stalls.
import { formatTime } from "../lib/dom.js";

export interface TusResponse {
  /** 0 if no response arrived. */
  status: number;
  /**
   * Whether the request was aborted because no byte was sent or received within the stall timeout.
   */
  stalled: boolean;
  /** `Upload-Offset`: the number of bytes that the server has. */
  offset: number | null;
  /** `Upload-Length`: null while it is deferred. */
  length: number | null;
  /** The URL of a new upload. */
  location: string | null;
  /** The id of the media. */
  media: string | null;
  /** The id of the update. */
  update: string | null;
  /** `Retry-After` in seconds, or 0. */
  retryAfter: number;
  /** The error message of the server, or an empty string. */
  message: string;
}

interface TusRequestOptions {
  headers?: Record<string, string>;
  body?: Blob;
  signal?: AbortSignal;
  /** The request is aborted if no byte is sent or received for this many milliseconds. */
  stallTimeoutMs?: number;
}

export const STALL_TIMEOUT_MS = 20_000;

/** Sends one request. Never rejects: after a failed or aborted request, it resolves with status 0. */
export function sendTusRequest(
  method: string,
  url: string,
  { headers = {}, body, signal, stallTimeoutMs = STALL_TIMEOUT_MS }: TusRequestOptions = {},
): Promise<TusResponse> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stalled = false;
    const restartTimer = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        stalled = true;
        request.abort();
      }, stallTimeoutMs);
    };
    const abort = (): void => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries({
      Accept: "application/json",
      "Tus-Resumable": "1.0.0",
      ...headers,
    }))
      request.setRequestHeader(name, value);
    for (const event of ["progress", "load"] as const)
      request.upload.addEventListener(event, restartTimer);
    request.addEventListener("progress", restartTimer);
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      resolve(readResponse(request, stalled));
    });
    signal?.addEventListener("abort", abort);
    restartTimer();
    request.send(body);
    if (signal?.aborted) abort();
  });
}

function readResponse(request: XMLHttpRequest, stalled: boolean): TusResponse {
  const number = (name: string): number | null => {
    const text = request.getResponseHeader(name);
    return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  return {
    status: request.status,
    stalled,
    offset: number("Upload-Offset"),
    length: number("Upload-Length"),
    location: request.getResponseHeader("Location"),
    media: request.getResponseHeader("Hearback-Media"),
    update: request.getResponseHeader("Hearback-Update"),
    retryAfter: number("Retry-After") ?? 0,
    message: problemMessage(request.responseText),
  };
}

/** The message of a problem document (RFC 9457), or an empty string for any other body. */
function problemMessage(text: string): string {
  try {
    const {
      title = "",
      detail = title,
      errors = {},
    } = JSON.parse(text) as { title?: string; detail?: string; errors?: Record<string, string> };
    return Object.values(errors).join(" ") || detail;
  } catch {
    return "";
  }
}

/** Encodes the `Upload-Metadata` header, in which each name is followed by its value in base64. */
export function encodeMetadata(values: Record<string, string>): string {
  const base64 = (text: string): string =>
    btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return Object.entries(values)
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(",");
}

/** Completes an upload whose length was deferred. `length` must be the number of bytes that the server already has. */
export function finishUpload(
  url: string,
  length: number,
  signal?: AbortSignal,
): Promise<TusResponse> {
  const headers = {
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": String(length),
    "Upload-Length": String(length),
  };
  return sendTusRequest("PATCH", url, signal ? { headers, signal } : { headers });
}

/** Whether an HTTP status means that something no longer exists on the server. */
export const isGone = (status: number): boolean => status === 404 || status === 410;

const notDeletedMessage =
  "The server is not responding, so nothing was deleted. Try again in a moment.";

/**
 * Deletes an upload and its media. If the server has already finished the upload, deletes the media only if its update
 * is a draft or no longer exists. Returns null on success, otherwise a message.
 */
export async function discardUpload({
  url,
  media,
  update,
}: {
  url: string;
  media: string;
  update: string;
}): Promise<string | null> {
  let response = await sendTusRequest("DELETE", url);
  if (response.status === 409) {
    const known = (await fetchJsonOrStatus(`/updates/${update}`)) as
      { state: string } | number | undefined;
    if (known === undefined || (typeof known === "number" && !isGone(known)))
      return notDeletedMessage;
    if (typeof known === "object" && known.state !== "draft")
      return "This recording was already sent. Remove it on the page of its update.";
    response = await sendTusRequest("DELETE", `/media/${media}`);
  }
  const { status, message } = response;
  if ((status >= 200 && status < 300) || isGone(status)) return null;
  return message || notDeletedMessage;
}

/**
 * Returns the id of the signed-in person, or null if nobody is signed in. Returns undefined if the request failed for
 * another reason.
 */
export async function fetchPersonId(): Promise<string | null | undefined> {
  const session = await fetchJsonOrStatus("/session");
  if (typeof session === "number") return session === 401 ? null : undefined;
  return (session as { person: { id: string } } | undefined)?.person.id;
}

/** Whether a media item no longer exists on the server. */
export async function isMediaDeleted(media: string): Promise<boolean> {
  const status = await fetchJsonOrStatus(`/media/${media}`);
  return typeof status === "number" && isGone(status);
}

/**
 * Returns the message for a recording that was deleted on the server. `safeMs` is the length of the
 * deleted part, and `leftMs` the length of the part that remains in this browser.
 */
export function deletedMessage(safeMs: number, leftMs: number): string {
  return `${safeMs < 1000 ? "The recording" : formatTime(safeMs)} was deleted on the server; ${leftMs > 0 ? `${formatTime(Math.max(1000, leftMs))} is left in this browser` : "nothing is left in this browser"}.`;
}

/**
 * Returns the JSON at `path`, the status if it is an error, or undefined if no response arrived. Bypasses the HTTP
 * cache.
 */
async function fetchJsonOrStatus(path: string): Promise<unknown> {
  try {
    const response = await fetch(path, {
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      cache: "no-store",
    });
    return response.ok ? await response.json() : response.status;
  } catch {
    return undefined;
  }
}
