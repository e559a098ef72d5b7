// Marking a picture that is on an update, or a frame of its video: the editor opens over the page, at once.
import { uploads } from "../compose/draft.js";
import { announce } from "../lib/dom.js";
import { chooseAction, showError } from "../lib/dialogs.js";
import { cropped, drawn, layerOf, original, pictureOf, ready, saveLayer } from "./layer-api.js";
import { lost, type Work } from "./shapes.js";
import type { Again, Asking } from "./session.js";
import { refresh } from "../lib/refresh.js";
import { requestJson, Problem } from "../lib/request.js";
import { frame } from "../recorder/screenshot.js";
import { stage } from "../update/media-stage.js";

const gone = (work: Work) => lost(work, "is gone for good");

document.addEventListener("click", (event) => {
  const button =
    event.target instanceof Element
      ? event.target.closest<HTMLButtonElement>("[data-mark-up], [data-mark-frame]")
      : null;
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const answered = Number(button.dataset["answered"] ?? 0);
  const act =
    button.dataset["markUp"] !== undefined
      ? markUp(button.dataset["markUp"], answered)
      : markFrame(button, answered);
  const done = act
    .catch((error: unknown) => showError(error instanceof Error ? error.message : String(error)))
    .finally(() => button.removeAttribute("aria-busy"));
  void done
    .then((saved) => (saved === true ? refresh() : undefined))
    .finally(() => {
      if (document.activeElement !== document.body) return;
      stage()?.restoreFocus(button);
      // Of a row that was replaced meanwhile, the button of the new one.
      if (!button.isConnected)
        document
          .querySelector<HTMLElement>(
            `[data-mark-up="${CSS.escape(button.dataset["markUp"] ?? "")}"]`,
          )
          ?.focus();
    });
});

/** Opens the editor on a picture, with what is stored or with work that could not be saved. True when it was saved; the page is not refreshed. */
export async function markUp(media: string, answered: number, kept?: Work): Promise<boolean> {
  const { edit } = await import("./editor.js");
  for (;;) {
    const [layer, picture] = await Promise.all([layerOf(media), pictureOf(media)]);
    let { revision } = layer;
    let reload = false;
    const save = async (work: Work, again: Again | undefined, asking: Asking): Promise<void> => {
      try {
        await saveLayer(media, revision, work, again);
      } catch (error) {
        if (!(error instanceof Problem) || error.status !== 409) throw error;
        const [now, shown] = await Promise.all([layerOf(media), pictureOf(media)]);
        // It is for another reason, which the answer says.
        if (now.revision === revision) throw error;
        const moved = shown.width !== picture.width || shown.height !== picture.height;
        const [theirs, mine] = ["Load the other version", "Save mine over it"] as const;
        const wanted = await asking(async () =>
          moved
            ? chooseAction(
                `${cropped} Load it as it is now? What you drew is then gone.`,
                [theirs],
                true,
              )
            : chooseAction(
                "The marks of this picture were changed elsewhere meanwhile. What you drew is still here, not saved. If you load the other version, it is gone.",
                [theirs, mine],
                true,
              ),
        );
        if (wanted === null)
          throw new Problem("Not saved: it was changed elsewhere meanwhile.", 409);
        reload = wanted === theirs;
        if (reload) return;
        revision = now.revision;
        await save(work, again, asking);
      }
    };
    const saved = await edit({
      picture: original(picture),
      name: picture.file_name,
      work: kept ?? { shapes: layer.shapes, crop: null },
      destroys: true,
      final: (work) => `${gone(work)}${answered > 0 ? " Who answered is asked again." : ""}`,
      done: "Save",
      ...(answered > 0 ? { again: { people: answered } } : {}),
      save,
    });
    if (!reload) {
      // Where nobody tells the page of it: the page of an update hears of it as it happens.
      if (saved && uploads.current) void drawn(media, picture).then(refresh, () => {});
      return saved;
    }
    kept = undefined;
  }
}

/** Makes a picture of the present second of the video beside a button, and marks it. It becomes a picture of the same update. */
async function markFrame(button: HTMLElement, answered: number): Promise<void> {
  const row = button.closest(".media-item");
  // While it is trimmed it plays in that editor.
  const video =
    row?.querySelector<HTMLVideoElement>(".trim-stage video") ??
    row?.querySelector("video") ??
    stage()?.video;
  if (!video) return;
  video.pause();
  const file = await frame(video);
  const queue = uploads.current;
  if (queue) return queue.open(file);
  await addMarked(file, button.dataset["markFrame"] ?? "", answered);
}

/** On the page of an update nothing travels in the background: the editor closes when the picture is there. */
async function addMarked(file: File, update: string, answered: number): Promise<void> {
  const [{ edit }, { burn }, { FileUpload }] = await Promise.all([
    import("./editor.js"),
    import("./flatten.js"),
    import("../upload/file-upload.js"),
  ]);
  // Saved again after a failure, the picture is not sent twice unless other pixels of it are gone.
  let sent: { media: string; without: string } | null = null;
  const saved = await edit({
    picture: file,
    name: file.name,
    work: { shapes: [], crop: null },
    destroys: true,
    final: gone,
    done: "Add",
    leave: "Do not add it",
    ...(answered > 0 ? { again: { people: answered } } : {}),
    save: async (work, again) => {
      const without = JSON.stringify([
        work.crop,
        work.shapes.filter(({ kind }) => kind === "redaction"),
      ]);
      const burned = await burn(file, work);
      if (sent?.without !== without) {
        if (sent) await requestJson("DELETE", `/media/${sent.media}?for_good=true`);
        sent = null;
        const upload = new FileUpload(
          new File([burned.picture], file.name, { type: burned.picture.type }),
          update,
          () => {},
        );
        await upload.send();
        if (upload.media === null)
          throw new Problem("The server does not answer. Try again in a moment.", 0);
        sent = { media: upload.media, without };
      }
      await ready(sent.media);
      if (burned.shapes.length > 0)
        await saveLayer(sent.media, 0, { shapes: burned.shapes, crop: null });
      if (again?.change === "material")
        await requestJson("PATCH", `/updates/${update}`, { ...again });
    },
  });
  if (!saved || sent === null) return;
  await refresh();
  stage()?.show((sent as { media: string }).media);
  announce("The frame is a picture of this update now.");
}
