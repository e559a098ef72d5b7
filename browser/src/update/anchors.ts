// Where comments point: read from the page, so that the page stays the only truth.
import type { Shape } from "../markup/shapes.js";

/** A part of a picture, 0–1 from the top left; a point has no width and height. */
export interface Region {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** A coordinate of a region, within the picture. */
export function clampFraction(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
}

/** A place in a piece of media: a moment of a video or a spot of a picture. */
export interface Anchor {
  media: string;
  at?: number;
  region?: Region;
  /** What is drawn on the picture, or on the frame of that moment. */
  drawing?: Shape[];
  /** Width and height of the picture that is drawn on. */
  size?: string;
}

/** A comment with a place. */
export interface AnchoredComment extends Anchor {
  element: HTMLElement;
  /** Who and what, in short, for the name of its dot. */
  label: string;
  /** The end of a stretch. */
  until?: number;
  /** Whether it is a question. */
  isQuestion: boolean;
  /** Counted among the spots of pictures, from 1; 0 for moments. */
  number: number;
}

const drawings = new WeakMap<HTMLElement, { text: string; shapes: Shape[] }>();

/** What is drawn with a comment, read once. Our own server wrote it. */
function drawingOf(comment: HTMLElement): { drawing?: Shape[] } {
  const text = comment.dataset["drawing"];
  if (text === undefined) return {};
  let known = drawings.get(comment);
  if (known?.text !== text)
    drawings.set(comment, (known = { text, shapes: JSON.parse(text) as Shape[] }));
  return { drawing: known.shapes };
}

/** All comments with a place, oldest first, so that their numbers stay when the order of the list changes. */
export function anchoredComments(): AnchoredComment[] {
  const all: AnchoredComment[] = [];
  const comments = [...document.querySelectorAll<HTMLElement>(".comment[data-media]")].sort(
    (a, b) => (a.dataset["created"] ?? "").localeCompare(b.dataset["created"] ?? ""),
  );
  let number = 0;
  for (const element of comments) {
    const { media, at, until, region, author, kind, drawing } = element.dataset;
    const asks = kind === "question";
    if (media === undefined || (at === undefined && region === undefined && drawing === undefined))
      continue;
    // Resolved threads are folded away, and so are their marks.
    if (element.closest(".resolved-thread:not([open])")) continue;
    const said =
      element.querySelector(".body")?.textContent?.trim().replace(/\s+/g, " ") ||
      (drawing === undefined ? "" : "a drawing");
    const words = `${asks ? "question, " : ""}${author ?? ""}: ${said.length > 80 ? `${said.slice(0, 80)}…` : said}`;
    const drawn = drawingOf(element);
    if (at !== undefined)
      all.push({
        element,
        media,
        at: Number(at),
        ...(until === undefined ? {} : { until: Number(until) }),
        label: words,
        isQuestion: asks,
        number: 0,
        ...drawn,
      });
    else if (region !== undefined) {
      const [x = 0, y = 0, w = 0, h = 0] = region.split(" ").map(Number);
      all.push({
        element,
        media,
        region: { x, y, w, h },
        label: words,
        isQuestion: asks,
        number: ++number,
        ...drawn,
      });
    } else all.push({ element, media, label: words, isQuestion: asks, number: 0, ...drawn });
  }
  return all;
}

/** Shows a comment in its list: opened, in sight, marked. */
export function revealComment(comment: HTMLElement): void {
  comment.closest<HTMLDetailsElement>(".resolved-thread")?.setAttribute("open", "");
  selectComment(comment);
  scrollConversationTo(comment);
}

/** Scrolls to a part of the conversation. Where that scrolls by itself only that moves, and the stage stays in sight. */
export function scrollConversationTo(part: HTMLElement): void {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const list = part.closest<HTMLElement>(".threads");
  if (!list || getComputedStyle(list).overflowY !== "auto")
    return part.scrollIntoView({ block: "nearest", behavior });
  const [box, frame] = [part.getBoundingClientRect(), list.getBoundingClientRect()];
  const [above, below] = [box.top - frame.top - 12, box.bottom - frame.bottom + 12];
  list.scrollBy({ top: above < 0 ? above : Math.max(0, Math.min(above, below)), behavior });
  const stage = document.querySelector("update-stage");
  const top = stage?.getBoundingClientRect().top ?? 0;
  if (top < 0 || top > innerHeight / 2) stage?.scrollIntoView({ block: "nearest" });
}

/** Marks one comment, and no other. */
export function selectComment(comment: HTMLElement | null): void {
  for (const other of document.querySelectorAll(".comment.on"))
    if (other !== comment) other.classList.remove("on");
  comment?.classList.add("on");
  document.dispatchEvent(new CustomEvent("hearback:comment-selected"));
}
