// Turns the current frame of a video into a picture, opens it in the markup editor, and adds it to the video's update.
import { uploads } from "../compose/draft.js";
import { announce } from "../lib/dom.js";
import { refresh } from "../lib/refresh.js";
import { captureFrame } from "../recorder/screenshot.js";
import { stage } from "../update/media-stage.js";
import { describeLoss } from "./shapes.js";

/**
 * Marks up the current frame of the video to which the button belongs. `answered` is the number of people who have
 * responded to the update.
 */
export async function markFrame(
  button: HTMLElement,
  update: string,
  answered: number,
): Promise<void> {
  const row = button.closest(".media-item");
  // While a recording is being trimmed, its video is in the trim editor, so look there first.
  const video =
    row?.querySelector<HTMLVideoElement>(".trim-stage video") ??
    row?.querySelector("video") ??
    stage()?.video;
  if (!video) return;
  video.pause();
  const file = await captureFrame(video);
  const queue = uploads.current;
  if (queue) return queue.open(file);
  await addFrame(file, update, answered);
}

/**
 * Adds a frame to an update from the update's page. That page has no upload queue, so the editor stays open until the
 * picture is stored.
 */
async function addFrame(file: File, update: string, answered: number): Promise<void> {
  // Load both modules before the editor opens, so that saving does not depend on another script request.
  const [{ edit }, { FrameSaver }] = await Promise.all([
    import("./editor-dialog.js"),
    import("./frame-saver.js"),
  ]);
  const saver = new FrameSaver(file, update);
  const saved = await edit({
    picture: file,
    name: file.name,
    markup: { shapes: [], crop: null },
    allowsDestruction: true,
    lossWarning: (markup) => describeLoss(markup, "is deleted permanently"),
    saveLabel: "Add",
    leaveLabel: "Discard",
    ...(answered > 0 ? { answered: { people: answered } } : {}),
    save: (markup, change) => saver.save(markup, change),
  });
  if (!saved || saver.media === null) return;
  await refresh();
  stage()?.show(saver.media);
  announce("The frame was added to this update as a picture.");
}
