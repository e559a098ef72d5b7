// Requests that load and save a picture's marks, or poll until the server has prepared the picture.
import { Problem, requestJson } from "../lib/request.js";
import type { RevisionChange } from "./session.js";
import { parseShapes, type Markup, type Shape } from "./shapes.js";

/** The stored marks of a picture. Each save increments the revision. */
export interface Layer {
  revision: number;
  shapes: Shape[];
}

/** The part of the `GET /media/{id}` response that the editor uses. */
export interface Picture {
  state: string;
  reason?: string;
  file_name: string;
  width: number | null;
  height: number | null;
  renditions: { name: string; url: string }[];
}

/** Milliseconds between two requests while the server prepares a picture. */
const pollInterval = 500;
/** The maximum number of requests that `waitUntilDrawn` sends. */
const maxPolls = 20;

export async function fetchLayer(media: string): Promise<Layer> {
  const { revision, shapes } = (await requestJson("GET", `/media/${media}/markup`)) as {
    revision: number;
    shapes: unknown;
  };
  return { revision, shapes: parseShapes(shapes) };
}

export async function fetchPicture(media: string): Promise<Picture> {
  return (await requestJson("GET", `/media/${media}`)) as Picture;
}

export const croppedMessage =
  "This picture was cropped elsewhere, so your drawing would be in the wrong place.";

/**
 * Saves marks that are based on `revision`. If the request fails, rejects with a Problem, whose
 * status is 409 if the stored revision differs.
 */
export async function saveLayer(
  media: string,
  revision: number,
  markup: Markup,
  change?: RevisionChange,
): Promise<void> {
  await requestJson("PUT", `/media/${media}/markup`, { revision, ...markup, ...change });
}

/** Waits until a newly uploaded picture can be marked up. Rejects with a Problem if the server cannot process it. */
export async function waitUntilReady(media: string): Promise<Picture> {
  for (;;) {
    const picture = await fetchPicture(media);
    if (picture.state === "ready") return picture;
    if (picture.state === "failed")
      throw new Problem(picture.reason ?? "The picture cannot be shown.", 422);
    await pause();
  }
}

/**
 * Waits until the thumbnail shows the new marks. Resolves after `maxPolls` requests even if the thumbnail has not
 * changed. `before` is the picture before the save.
 */
export async function waitUntilDrawn(media: string, before: Picture): Promise<void> {
  const thumbnail = ({ renditions }: Picture): string | undefined =>
    renditions.find(({ name }) => name === "thumbnail")?.url;
  for (let polls = 0; polls < maxPolls; polls += 1) {
    await pause();
    const now = await fetchPicture(media);
    if (now.state === "ready" && thumbnail(now) !== thumbnail(before)) return;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pollInterval));
}

/**
 * Returns a same-origin URL from which scripts can read a picture, even if its bytes are usually delivered by another
 * host.
 */
export function readableUrl(url: string): string {
  const address = new URL(url, location.href);
  // Request a download, because the server delivers downloads itself instead of redirecting them to another host.
  address.searchParams.set("download", "1");
  return address.pathname + address.search;
}

/** Returns the URL of the original. Throws a Problem if the original does not exist yet. */
export function originalUrl({ renditions }: Picture): string {
  const url = renditions.find(({ name }) => name === "original")?.url;
  if (url === undefined)
    throw new Problem("This picture is still being processed. Try again in a moment.", 409);
  return readableUrl(url);
}
