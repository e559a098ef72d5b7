// The chips above the text of an unsent comment. One shows the place in the media that the comment
// is about; the other shows that the comment has a drawing.
import { formatTime, icon, iconButton, make, plural } from "../lib/dom.js";
import type { Anchor } from "../update/anchors.js";
import { stage } from "../update/media-stage.js";

export interface AnchorChipListeners {
  onRemoveAnchor: () => void;
  /** Called with the offset in milliseconds. */
  onNudge: (offset: number) => void;
  onOpenDrawing: () => void;
  onRemoveDrawing: () => void;
}

export function anchorChips(anchor: Anchor, listeners: AnchorChipListeners): HTMLElement[] {
  const { at, drawing } = anchor;
  const chips: HTMLElement[] = [];
  // Skip the place chip if the comment has a drawing on an image, because the drawing already shows the place.
  if (at !== undefined || !drawing) {
    const remove = iconButton("Remove the place", icon("x"), "");
    remove.addEventListener("click", () => listeners.onRemoveAnchor());
    // A drawing belongs to one frame, so its time cannot be nudged.
    const nudges = at === undefined || drawing ? [] : nudgeButtons(listeners);
    chips.push(placeChip(anchor), ...nudges, remove);
  }
  if (drawing) chips.push(drawingChip(drawing.length, listeners));
  return chips;
}

function placeChip({ at, media, region }: Anchor): HTMLElement {
  const on = (stage()?.count ?? 1) > 1 ? ` on ${stage()?.numberOf(media) ?? 1}` : "";
  return make(
    "span",
    { class: "anchor-chip" },
    at === undefined ? icon("map-pin") : icon("clock"),
    at === undefined
      ? `at this ${region && region.w > 0 ? "part" : "spot"}${on}`
      : `at ${formatTime(at)}${on}`,
  );
}

function nudgeButtons({ onNudge }: AnchorChipListeners): HTMLElement[] {
  return [-1, 1].map((seconds) => {
    const button = make(
      "button",
      {
        type: "button",
        "aria-label": seconds < 0 ? "−1 s, one second earlier" : "+1 s, one second later",
      },
      seconds < 0 ? "−1 s" : "+1 s",
    );
    button.addEventListener("click", () => onNudge(seconds * 1000));
    return button;
  });
}

function drawingChip(shapes: number, listeners: AnchorChipListeners): HTMLElement {
  const open = make(
    "button",
    { type: "button", class: "anchor-chip" },
    icon("pen-line"),
    `Drawing, ${plural(shapes, "mark", "marks")}`,
  );
  open.addEventListener("click", () => listeners.onOpenDrawing());
  const remove = iconButton("Remove the drawing", icon("x"), "");
  remove.addEventListener("click", () => listeners.onRemoveDrawing());
  return make("span", { class: "drawing-chip" }, open, remove);
}
