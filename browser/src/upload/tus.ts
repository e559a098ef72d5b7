// One request of the tus protocol each, by XMLHttpRequest: fetch does not tell whether what is sent still moves.
import { formatTime } from "../lib/dom.js";

/** What the server answered; the status is 0 where nothing came back. */
export interface Answer {
  status: number;
  /** It was given up because nothing moved. */
  stalled: boolean;
  /** Up to where it holds the upload. */
  offset: number | null;
  /** How long the upload is, once that is known. */
  length: number | null;
  /** Where the upload is, when it was just made. */
  location: string | null;
  media: string | null;
  update: string | null;
  /** Seconds that it asks to wait. */
  retryAfter: number;
  /** What it says, in words. */
  words: string;
}

/** What a request may carry, and when it is given up. */
interface With {
  headers?: Record<string, string>;
  body?: Blob;
  signal?: AbortSignal;
  /** Milliseconds without a byte sent or received. */
  patience?: number;
}

/** How long a request may stand still, in milliseconds. */
export const PATIENCE = 20_000;

/** Sends one request. It never throws: what broke off has the status 0. */
export function send(
  method: string,
  url: string,
  { headers = {}, body, signal, patience = PATIENCE }: With = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stalled = false;
    const moved = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        stalled = true;
        request.abort();
      }, patience);
    };
    const stop = (): void => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries({
      Accept: "application/json",
      "Tus-Resumable": "1.0.0",
      ...headers,
    }))
      request.setRequestHeader(name, value);
    for (const event of ["progress", "load"] as const)
      request.upload.addEventListener(event, moved);
    request.addEventListener("progress", moved);
    request.addEventListener("loadend", () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      resolve(read(request, stalled));
    });
    signal?.addEventListener("abort", stop);
    moved();
    request.send(body);
    if (signal?.aborted) stop();
  });
}

function read(request: XMLHttpRequest, stalled: boolean): Answer {
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
    words: said(request.responseText),
  };
}

/** The words of a problem document (RFC 9457). */
function said(text: string): string {
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

/** Deletes an upload and its media, also when the server has finished it by itself, but not from what was sent. Answers what went wrong, in words, or null. */
export async function discard({
  url,
  media,
  update,
}: {
  url: string;
  media: string;
  update: string;
}): Promise<string | null> {
  let answer = await send("DELETE", url);
  if (answer.status === 409) {
    const known = (await asked(`/updates/${update}`)) as { state: string } | number | undefined;
    if (typeof known === "object" && known.state !== "draft")
      return "It was sent already, and stays there. Remove it on the page of its update.";
    answer = await send("DELETE", `/media/${media}`);
  }
  if (
    (answer.status >= 200 && answer.status < 300) ||
    answer.status === 404 ||
    answer.status === 410
  )
    return null;
  return (
    answer.words || "The server does not answer, so nothing was deleted. Try again in a moment."
  );
}

/** Tells the server that there is no more than the `length` bytes that it holds. */
export function finish(url: string, length: number, signal?: AbortSignal): Promise<Answer> {
  const headers = {
    "Content-Type": "application/offset+octet-stream",
    "Upload-Offset": String(length),
    "Upload-Length": String(length),
  };
  return send("PATCH", url, signal ? { headers, signal } : { headers });
}

/** Who is signed in: their id, null for nobody, undefined where no answer came. */
export async function whoIsThere(): Promise<string | null | undefined> {
  const answer = await asked("/session");
  if (typeof answer === "number") return answer === 401 ? null : undefined;
  return (answer as { person: { id: string } } | undefined)?.person.id;
}

/** Whether media that was there is not any more: then nothing of it is safe on the server. */
export async function isDeleted(media: string): Promise<boolean> {
  const there = await asked(`/media/${media}`);
  return there === 404 || there === 410;
}

/** What is said of a recording that was deleted on the server, where up to `safeMs` of it was, when so much is left here. */
export function deletedWords(safeMs: number, leftMs: number): string {
  return `${safeMs < 1000 ? "It" : formatTime(safeMs)} was deleted on the server; ${leftMs > 0 ? `${formatTime(Math.max(1000, leftMs))} is left in this browser` : "nothing is left in this browser"}.`;
}

/** What is at an address now; its status where that is no good one, undefined where no answer came. */
async function asked(path: string): Promise<unknown> {
  try {
    const answer = await fetch(path, {
      headers: { Accept: "application/json" },
      credentials: "same-origin",
      cache: "no-store",
    });
    return answer.ok ? await answer.json() : answer.status;
  } catch {
    return undefined;
  }
}

/** `Upload-Metadata`: names with their values in base64. */
export function metadata(values: Record<string, string>): string {
  const base64 = (text: string): string =>
    btoa(String.fromCharCode(...new TextEncoder().encode(text)));
  return Object.entries(values)
    .map(([name, value]) => `${name} ${base64(value)}`)
    .join(",");
}
