// JSON requests to the server. Every failure becomes a message for the person.

/**
 * A failed request. The message is for the person; `errors` maps field names to messages. Status 0 means no response.
 */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly errors: Record<string, string> = {},
    /**
     * Whether the request got no response but can safely be sent again. A POST that was cut off cannot be sent again,
     * because the server may have received it.
     */
    readonly isRepeatable = false,
  ) {
    super(message);
  }

  /** Whether a retry may succeed. True if the server did not respond, limited the rate of requests or had an error. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/**
 * Sends a request and returns the JSON of the response, or null if the response is empty. Throws a `Problem` if the
 * request fails, or an `AbortError` if `signal` aborts it.
 */
export async function requestJson(
  method: string,
  url: string,
  body?: BodyInit | object,
  signal?: AbortSignal,
): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json" };
  let content: BodyInit | undefined;
  if (body instanceof FormData || body instanceof URLSearchParams) content = body;
  else if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    content = JSON.stringify(body);
  }
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (content !== undefined) init.body = content;
  if (signal) init.signal = signal;
  const wasOffline = !navigator.onLine;
  const isRepeatable = (): boolean => method !== "POST" || (wasOffline && !navigator.onLine);
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw noResponseProblem(isRepeatable());
  }
  // A proxy sends these statuses if the server does not respond.
  if (response.status === 502 || response.status === 504) throw noResponseProblem(isRepeatable());
  const text = await response.text();
  if (!response.ok) throw parseProblem(response.status, text);
  return text === "" ? null : (JSON.parse(text) as unknown);
}

export function noResponseProblem(isRepeatable = false): Problem {
  return new Problem(
    navigator.onLine
      ? "The server is not responding. Nothing you typed is lost; try again in a moment."
      : "You are offline. Nothing you typed is lost; try again when you are online.",
    0,
    {},
    isRepeatable,
  );
}

/**
 * Turns a field error without a subject into a sentence: "is missing." becomes "This is missing." Only errors without a
 * subject begin with a lowercase word (`FieldError` in src/error.rs).
 */
export function toSentence(error: string): string {
  return /^[a-z]+ /.test(error) ? `This ${error}` : error;
}

/**
 * Parses a problem document (RFC 9457). For any other body, derives the message from the status.
 */
export function parseProblem(status: number, text: string): Problem {
  // Replace the server's message for 401, which is written for API clients.
  if (status === 401)
    return new Problem(
      "You are signed out. Sign in again in another tab, then try again here.",
      status,
    );
  try {
    const problem = JSON.parse(text) as {
      title?: string;
      detail?: string;
      errors?: Record<string, string>;
    };
    const errors = problem.errors ?? {};
    return new Problem(
      Object.values(errors).map(toSentence).join(" ") || (problem.detail ?? problem.title ?? ""),
      status,
      errors,
    );
  } catch {
    if (status === 413)
      return new Problem("The request is larger than the server accepts.", status);
    return new Problem(`The server responded with ${status}. Try again in a moment.`, status);
  }
}
