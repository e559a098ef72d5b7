// The marks of a picture as the server keeps them: read, saved, and waited for while the picture is being prepared.
import { parse, type Shape, type Work } from "./shapes.js";
import type { Again } from "./session.js";
import { requestJson, Problem } from "../lib/request.js";

/** What is stored of a picture's marks, and how often it was changed. */
export interface Layer {
  revision: number;
  shapes: Shape[];
}

/** What `GET /media/{id}` says of a picture. */
export interface Picture {
  state: string;
  reason?: string;
  file_name: string;
  width: number | null;
  height: number | null;
  renditions: { name: string; url: string }[];
}

/** Milliseconds between two looks at a picture that is being prepared. */
const LOOK = 500;

export async function layerOf(media: string): Promise<Layer> {
  const { revision, shapes } = (await requestJson("GET", `/media/${media}/markup`)) as {
    revision: number;
    shapes: unknown;
  };
  return { revision, shapes: parse(shapes) };
}

export async function pictureOf(media: string): Promise<Picture> {
  return (await requestJson("GET", `/media/${media}`)) as Picture;
}

/** What is said wherever the picture is not any more what was drawn on. */
export const cropped =
  "This picture was cropped elsewhere meanwhile, so what you drew would lie in the wrong places.";

/** Stores marks that were made on that revision. Rejects with a Problem; 409 where somebody else was faster. */
export async function saveLayer(
  media: string,
  revision: number,
  work: Work,
  again?: Again,
): Promise<void> {
  await requestJson("PUT", `/media/${media}/markup`, { revision, ...work, ...again });
}

/** Waits until a picture that just arrived can be marked. Rejects with a Problem where it never can. */
export async function ready(media: string): Promise<Picture> {
  for (;;) {
    const picture = await pictureOf(media);
    if (picture.state === "ready") return picture;
    if (picture.state === "failed") throw new Problem(picture.reason ?? "It cannot be shown.", 422);
    await pause();
  }
}

/** Resolves when the small picture of a row shows the marks, too, or when that takes so long that the next look at the page will do. */
export async function drawn(media: string, before: Picture): Promise<void> {
  const small = ({ renditions }: Picture) =>
    renditions.find(({ name }) => name === "thumbnail")?.url;
  for (let looks = 0; looks < 20; looks += 1) {
    await pause();
    const now = await pictureOf(media);
    if (now.state === "ready" && small(now) !== small(before)) return;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK));
}

/** An address of ours that gives the bytes of a picture to this page, whoever delivers them to others. */
export function readable(url: string): string {
  const address = new URL(url, location.href);
  // A download is never redirected to the bucket.
  address.searchParams.set("download", "1");
  return address.pathname + address.search;
}

export function original({ renditions }: Picture): string {
  const url = renditions.find(({ name }) => name === "original")?.url;
  if (url === undefined)
    throw new Problem("This picture is being prepared. Try again in a moment.", 409);
  return readable(url);
}
