// Opens the editor to draw on the picture that a comment is about, or on the current frame of the video.
import { chooseAction } from "../lib/dialogs.js";
import { refresh } from "../lib/refresh.js";
import { Problem } from "../lib/request.js";
import { captureFrame } from "../recorder/screenshot.js";
import { clampFraction, type Anchor, type Region } from "../update/anchors.js";
import { stage, type UpdateStage } from "../update/media-stage.js";
import { croppedMessage, fetchPicture, readableUrl } from "./layer-api.js";
import type { Box, Shape } from "./shapes.js";

/** Whether the picture was cropped after the person drew on it. */
export async function wasCropped({ media, size }: Anchor): Promise<boolean> {
  if (size === undefined) return false;
  // If the server does not respond, assume that the picture was not cropped. Sending the comment will report the
  // failure.
  const picture = await fetchPicture(media).catch(() => null);
  return (
    picture !== null && picture.width !== null && `${picture.width} ${picture.height}` !== size
  );
}

/**
 * Asks the person whether to draw again on the cropped picture. If they agree, refreshes the page so that the stage
 * shows that picture, and resolves with true.
 */
export async function confirmRedraw(): Promise<boolean> {
  const question = `${croppedMessage} Draw on the cropped picture? Your text stays, but your drawing will be lost.`;
  if ((await chooseAction(question, ["Draw again"], true)) === null) return false;
  await refresh();
  return true;
}

/**
 * Opens the editor with the drawing of `before`. If there is none, opens it with the media on the stage. Returns the
 * anchor with its drawing, or null if the person leaves.
 */
export async function drawAnchor(before: Anchor | null): Promise<Anchor | null> {
  const shown = stage();
  if (!shown) return null;
  if (before?.drawing) {
    shown.show(before.media);
    if (before.at !== undefined) shown.seek(before.at);
    if (await wasCropped(before)) return (await confirmRedraw()) ? drawAnchor(null) : null;
  }
  shown.video?.pause();
  const anchor = anchorOf(shown, before);
  const picture = await pictureOf(shown);
  if (picture === null) return null;
  const [{ edit }, { extent }] = await Promise.all([
    import("./editor-dialog.js"),
    import("./geometry.js"),
  ]);
  let shapes: Shape[] = before?.drawing ?? [];
  let drawsAgain = false;
  const saved = await edit({
    picture,
    name: picture instanceof File ? picture.name : shown.shownName,
    markup: { shapes, crop: null },
    allowsDestruction: false,
    lossWarning: () => "",
    saveLabel: "Add",
    save: async (markup, _change, pauseSaving) => {
      shapes = markup.shapes;
      if (shapes.length === 0 || !(await wasCropped(anchor))) return;
      drawsAgain = await pauseSaving(confirmRedraw);
      if (!drawsAgain)
        throw new Problem("Not added, because the picture was cropped elsewhere.", 409);
    },
  });
  if (!saved) return null;
  if (drawsAgain) return drawAnchor(null);
  return withDrawing(anchor, shapes, chosenRegion(anchor, before, extent), extent);
}

/** The anchor to draw on: the given one if it has a drawing, otherwise the current place on the stage. */
function anchorOf(shown: UpdateStage, before: Anchor | null): Anchor {
  const size = shown.video ? null : shown.imageSize;
  const moment = shown.video ? { at: shown.currentAnchor()?.at ?? 0 } : {};
  return {
    ...(before?.drawing ? before : { media: shown.shownMedia, ...moment }),
    ...(size === null ? {} : { size }),
  };
}

async function pictureOf(shown: UpdateStage): Promise<File | string | null> {
  if (shown.video) return captureFrame(shown.video);
  return shown.imageUrl ? readableUrl(shown.imageUrl) : null;
}

type Extent = (shapes: Shape[]) => Box;

/** The region that the person chose. Undefined if the region was only derived from the bounds of the drawing. */
function chosenRegion(anchor: Anchor, before: Anchor | null, extent: Extent): Region | undefined {
  const { drawing, region } = anchor;
  const isDerived =
    region !== undefined &&
    drawing !== undefined &&
    isSameRegion(region, regionOf(extent(drawing)));
  if (region && !isDerived) return region;
  return before?.media === anchor.media && !drawing ? before.region : undefined;
}

/** Adds the drawing to the anchor. The anchor's region is the chosen one or, without one, the bounds of the drawing. */
function withDrawing(
  anchor: Anchor,
  shapes: Shape[],
  chosen: Region | undefined,
  extent: Extent,
): Anchor {
  const { drawing: _drawing, region: _region, size, ...place } = anchor;
  if (shapes.length === 0) return { ...place, ...(chosen ? { region: chosen } : {}) };
  return {
    ...place,
    ...(place.at === undefined ? { region: chosen ?? regionOf(extent(shapes)) } : {}),
    drawing: shapes,
    ...(size === undefined ? {} : { size }),
  };
}

function regionOf([x, y, w, h]: Box): Region {
  const [left, top] = [clampFraction(x), clampFraction(y)];
  return { x: left, y: top, w: clampFraction(x + w - left), h: clampFraction(y + h - top) };
}

function isSameRegion(a: Region, b: Region): boolean {
  return a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;
}
