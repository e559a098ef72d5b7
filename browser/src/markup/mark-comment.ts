// Drawing on what a comment is about: the same editor over the picture, or over the frame at which the video stands.
import { type Anchor, type Region, clampFraction } from "../update/anchors.js";
import { chooseAction } from "../lib/dialogs.js";
import { cropped, pictureOf, readable } from "./layer-api.js";
import type { Box, Shape } from "./shapes.js";
import { refresh } from "../lib/refresh.js";
import { Problem } from "../lib/request.js";
import { frame } from "../recorder/screenshot.js";
import { stage } from "../update/media-stage.js";

/** Whether the picture was cropped since it was drawn on. */
export async function moved({ media, size }: Anchor): Promise<boolean> {
  if (size === undefined) return false;
  // Where the server does not answer, the sending says so.
  const now = await pictureOf(media).catch(() => null);
  return now !== null && now.width !== null && `${now.width} ${now.height}` !== size;
}

/** Asks whether to draw on the cropped picture; then the page shows it, and the old drawing goes. */
export async function redraw(): Promise<boolean> {
  if (
    (await chooseAction(
      `${cropped} Draw on it as it is now? Your words stay, what you drew is gone.`,
      ["Draw again"],
      true,
    )) === null
  )
    return false;
  await refresh();
  return true;
}

/** Opens the editor on what the stage shows, or on what was drawn before. Answers the place with its drawing; null when it was left. */
export async function drawOn(before: Anchor | null): Promise<Anchor | null> {
  const on = stage();
  if (!on) return null;
  if (before?.drawing) {
    on.show(before.media);
    if (before.at !== undefined) on.seek(before.at);
  }
  if (before?.drawing && (await moved(before))) return (await redraw()) ? drawOn(null) : null;
  on.video?.pause();
  const size = on.video ? null : on.imageSize;
  const here: Anchor = {
    ...(before?.drawing
      ? before
      : { media: on.shownMedia, ...(on.video ? { at: on.currentAnchor()?.at ?? 0 } : {}) }),
    ...(size === null ? {} : { size }),
  };
  const picture = on.video ? await frame(on.video) : on.imageUrl ? readable(on.imageUrl) : null;
  if (picture === null) return null;
  const [{ edit }, { extent }] = await Promise.all([
    import("./editor.js"),
    import("./geometry.js"),
  ]);
  let shapes: Shape[] = before?.drawing ?? [];
  let again = false;
  const saved = await edit({
    picture,
    name: picture instanceof File ? picture.name : on.shownName,
    work: { shapes, crop: null },
    destroys: false,
    final: () => "",
    done: "Add",
    save: async (work, _, asking) => {
      shapes = work.shapes;
      if (shapes.length === 0 || !(await moved(here))) return;
      again = await asking(redraw);
      if (!again) throw new Problem("Not added: the picture was cropped elsewhere meanwhile.", 409);
    },
  });
  if (!saved) return null;
  if (again) return drawOn(null);
  const { drawing, region, size: drawnOn, ...place } = here;
  // What was drawn is the part it is about, unless a part was chosen before.
  const chosen =
    region && !(drawing && same(region, around(extent(drawing))))
      ? region
      : before?.media === here.media && !drawing
        ? before.region
        : undefined;
  if (shapes.length === 0) return { ...place, ...(chosen ? { region: chosen } : {}) };
  return {
    ...place,
    ...(place.at === undefined ? { region: chosen ?? around(extent(shapes)) } : {}),
    drawing: shapes,
    ...(drawnOn === undefined ? {} : { size: drawnOn }),
  };
}

/** The part of the picture that shapes lie in. */
function around([x, y, w, h]: Box): Region {
  const [left, top] = [clampFraction(x), clampFraction(y)];
  return { x: left, y: top, w: clampFraction(x + w - left), h: clampFraction(y + h - top) };
}

function same(one: Region, other: Region): boolean {
  return one.x === other.x && one.y === other.y && one.w === other.w && one.h === other.h;
}
