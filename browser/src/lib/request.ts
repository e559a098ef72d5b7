// Asking the server: JSON in, JSON out, and every failure as words for the person.

/** What went wrong, in words, with the fields it concerns. */
export class Problem extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly errors: Record<string, string> = {},
  ) {
    super(message);
  }

  /** The server or the line to it is down: trying again later may work. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Sends a request and answers its JSON (null for an empty body), or throws a Problem. */
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
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw noResponseProblem();
  }
  const text = await response.text();
  if (!response.ok) throw parseProblem(response.status, text);
  return text === "" ? null : (JSON.parse(text) as unknown);
}

/** No answer at all. */
export function noResponseProblem(): Problem {
  return new Problem(
    navigator.onLine
      ? "The server does not answer. Nothing you typed is lost; try again in a moment."
      : "You are offline. Nothing you typed is lost; try again when you are back.",
    0,
  );
}

/** "is missing." as a sentence of its own, as the pages say it (filters.rs has the same). */
export function toSentence(wrong: string): string {
  return /^(is|has|must|may|can|needs|does|stands|ends) /.test(wrong) ? `This ${wrong}` : wrong;
}

/** The words of a problem document (RFC 9457), or of its status where it is none. */
export function parseProblem(status: number, text: string): Problem {
  // What the server says is for programs.
  if (status === 401)
    return new Problem(
      "You are signed out. Sign in again in another tab, then try again here.",
      status,
    );
  try {
    const said = JSON.parse(text) as {
      title?: string;
      detail?: string;
      errors?: Record<string, string>;
    };
    const errors = said.errors ?? {};
    return new Problem(
      Object.values(errors).map(toSentence).join(" ") || (said.detail ?? said.title ?? ""),
      status,
      errors,
    );
  } catch {
    if (status === 413) return new Problem("This is larger than the server takes.", status);
    return new Problem(`The server answered ${status}. Try again in a moment.`, status);
  }
}
