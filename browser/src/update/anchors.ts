// The places that comments point to. They are read from the page: from its comments and, for comments that are not
// loaded yet, from the list in #marks.
import type { Shape } from "../markup/shapes.js";

/**
 * A rectangle or a point in an image. Coordinates are fractions of the image's width and height,
 * measured from the top left corner. The width and height of a point are 0.
 */
export interface Region {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Clamps a coordinate to the image, and rounds it to four decimal places. */
export function clampFraction(value: number): number {
  return Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
}

/** A place in media: a time in a video, or a region of an image. */
export interface Anchor {
  media: string;
  /** The time in the video, in milliseconds. */
  at?: number;
  region?: Region;
  /** Shapes on the image, or on the video frame at that time. */
  drawing?: Shape[];
  /** The width and height of the image under the drawing, separated by a space. */
  size?: string;
}

/** A comment with an anchor. */
export interface AnchoredComment extends Anchor {
  /** The id of the comment's element. */
  id: string;
  /** Null if the comment is not loaded. */
  element: HTMLElement | null;
  /** Whether the comment has a drawing, which may not be loaded. */
  isDrawn: boolean;
  /** The author and the shortened text, which form the accessible name of the comment's mark. */
  label: string;
  /** The end of a time range, in milliseconds. */
  until?: number;
  isQuestion: boolean;
  /**
   * The number of the comment's region among all regions on the page, starting at 1. It is 0 if the comment has no
   * region.
   */
  number: number;
}

const parsedDrawings = new WeakMap<HTMLElement, { text: string; shapes: Shape[] }>();

/** Returns a comment's drawing, which is parsed only once. It is not validated, because our server wrote it. */
function drawingOf(comment: HTMLElement): { drawing?: Shape[] } {
  const text = comment.dataset["drawing"];
  if (text === undefined) return {};
  let parsed = parsedDrawings.get(comment);
  if (parsed?.text !== text)
    parsedDrawings.set(comment, (parsed = { text, shapes: JSON.parse(text) as Shape[] }));
  return { drawing: parsed.shapes };
}

/** A comment in #marks. The server writes it; see `MarkView` there. */
interface Mark {
  id: string;
  media: string;
  at?: number;
  until?: number;
  region?: [x: number, y: number, w: number, h: number];
  drawn?: true;
  kind: "comment" | "question";
  author: string;
  text: string;
  created: string;
}

let parsedMarks: { text: string; marks: Mark[] } = { text: "", marks: [] };
/** Comments that were removed since #marks was written. */
const removedComments = new Set<string>();

/** Call this when a comment was removed that may not be loaded. */
export function forgetMark(commentId: string): void {
  removedComments.add(commentId);
}

function unloadedMarks(): Mark[] {
  const text = document.getElementById("marks")?.textContent ?? "";
  if (text.trim() === "") return [];
  if (text !== parsedMarks.text) parsedMarks = { text, marks: JSON.parse(text) as Mark[] };
  return parsedMarks.marks.filter(
    ({ id }) => !removedComments.has(id) && !document.getElementById(`c-${id}`),
  );
}

/** An anchored comment with the time at which it was created. */
type DatedComment = Omit<AnchoredComment, "number"> & { created: string };

/**
 * Returns all comments with an anchor, in order of creation. Because of this order, the numbers of regions do not
 * change when the list on the page is sorted.
 */
export function anchoredComments(): AnchoredComment[] {
  const loaded = [...document.querySelectorAll<HTMLElement>(".comment[data-media]")]
    // Omit the comments of collapsed threads, so that their marks are hidden too.
    .filter((comment) => !comment.closest(".resolved-thread:not([open])"))
    .flatMap((comment) => fromElement(comment) ?? []);
  const comments = [...loaded, ...unloadedMarks().map(fromMark)];
  let regions = 0;
  return comments
    .sort((a, b) => a.created.localeCompare(b.created))
    .map(({ created: _created, ...comment }) => ({
      ...comment,
      number: comment.region ? ++regions : 0,
    }));
}

function fromElement(element: HTMLElement): DatedComment | null {
  const anchor = anchorOf(element);
  return (
    anchor && {
      ...anchor,
      id: element.id,
      element,
      isDrawn: anchor.drawing !== undefined,
      label: labelOf(element),
      isQuestion: element.dataset["kind"] === "question",
      created: element.dataset["created"] ?? "",
    }
  );
}

function fromMark({ id, kind, author, text, region, drawn, ...mark }: Mark): DatedComment {
  const [x = 0, y = 0, w = 0, h = 0] = region ?? [];
  return {
    ...mark,
    ...(region ? { region: { x, y, w, h } } : {}),
    id: `c-${id}`,
    element: null,
    isDrawn: drawn === true,
    label: `${kind === "question" ? "question, " : ""}${author}: ${text || "a drawing"}`,
    isQuestion: kind === "question",
  };
}

function anchorOf(comment: HTMLElement): (Anchor & { until?: number }) | null {
  const { media, at, until, region, drawing } = comment.dataset;
  if (media === undefined || (at === undefined && region === undefined && drawing === undefined))
    return null;
  const anchor = { media, ...drawingOf(comment) };
  if (at !== undefined)
    return {
      ...anchor,
      at: Number(at),
      ...(until === undefined ? {} : { until: Number(until) }),
    };
  if (region === undefined) return anchor;
  const [x = 0, y = 0, w = 0, h = 0] = region.split(" ").map(Number);
  return { ...anchor, region: { x, y, w, h } };
}

function labelOf(comment: HTMLElement): string {
  const { author = "", kind, drawing } = comment.dataset;
  const text =
    comment.querySelector(".body")?.textContent?.trim().replace(/\s+/g, " ") ||
    (drawing === undefined ? "" : "a drawing");
  const excerpt = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return `${kind === "question" ? "question, " : ""}${author}: ${excerpt}`;
}

/** Selects a comment, expands its thread and scrolls to it. */
export function revealComment(comment: HTMLElement): void {
  comment.closest<HTMLDetailsElement>(".resolved-thread")?.setAttribute("open", "");
  selectComment(comment);
  scrollConversationTo(comment);
}

/** Scrolls to an element of the conversation. If the conversation has its own scroll bar, the stage stays visible. */
export function scrollConversationTo(element: HTMLElement): void {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const list = element.closest<HTMLElement>(".threads");
  if (!list || getComputedStyle(list).overflowY !== "auto")
    return element.scrollIntoView({ block: "nearest", behavior });
  const [box, frame] = [element.getBoundingClientRect(), list.getBoundingClientRect()];
  const [above, below] = [box.top - frame.top - 12, box.bottom - frame.bottom + 12];
  list.scrollBy({ top: above < 0 ? above : Math.max(0, Math.min(above, below)), behavior });
  const stage = document.querySelector("update-stage");
  const top = stage?.getBoundingClientRect().top ?? 0;
  if (top < 0 || top > innerHeight / 2) stage?.scrollIntoView({ block: "nearest" });
}

/** Selects one comment, or none. */
export function selectComment(comment: HTMLElement | null): void {
  for (const other of document.querySelectorAll(".comment.on"))
    if (other !== comment) other.classList.remove("on");
  comment?.classList.add("on");
  document.dispatchEvent(new CustomEvent("hearback:comment-selected"));
}
