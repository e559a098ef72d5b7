// The buttons that mark up an update's picture or a frame of its video. The editor opens over the page.
import { uploads } from "../compose/draft.js";
import { chooseAction } from "../lib/dialogs.js";
import { showError } from "../lib/error-banner.js";
import { refresh } from "../lib/refresh.js";
import { Problem } from "../lib/request.js";
import { stage } from "../update/media-stage.js";
import {
  croppedMessage,
  fetchLayer,
  fetchPicture,
  originalUrl,
  saveLayer,
  waitUntilDrawn,
  type Layer,
  type Picture,
} from "./layer-api.js";
import { markFrame } from "./mark-frame.js";
import type { PauseSaving, RevisionChange } from "./session.js";
import { describeLoss, type Markup } from "./shapes.js";

document.addEventListener("click", (event) => {
  const button =
    event.target instanceof Element
      ? event.target.closest<HTMLButtonElement>("[data-mark-up], [data-mark-frame]")
      : null;
  if (button && button.getAttribute("aria-busy") !== "true") void handleClick(button);
});

async function handleClick(button: HTMLButtonElement): Promise<void> {
  const { markUp: media, markFrame: update } = button.dataset;
  const answered = Number(button.dataset["answered"] ?? 0);
  let saved = false;
  button.setAttribute("aria-busy", "true");
  try {
    if (media === undefined) await markFrame(button, update ?? "", answered);
    else saved = await markUpMedia(media, answered);
  } catch (error) {
    showError(error instanceof Error ? error.message : String(error));
  } finally {
    button.removeAttribute("aria-busy");
  }
  if (saved) await refresh();
  restoreFocus(button);
}

/** Returns the focus to the button. If a refresh has replaced the button's row, focuses the button in the new row. */
function restoreFocus(button: HTMLButtonElement): void {
  if (document.activeElement !== document.body) return;
  stage()?.restoreFocus(button);
  const media = CSS.escape(button.dataset["markUp"] ?? "");
  if (!button.isConnected)
    document.querySelector<HTMLElement>(`[data-mark-up="${media}"]`)?.focus();
}

/**
 * Opens the editor on an update's picture. The editor starts with the stored marks or, if given, with `unsaved` work.
 * Resolves with true if the marks were saved; the caller then refreshes the page. `answered` is the number of people
 * who have responded to the update.
 */
export async function markUpMedia(
  media: string,
  answered: number,
  unsaved?: Markup,
): Promise<boolean> {
  const { edit } = await import("./editor-dialog.js");
  const [layer, picture] = await Promise.all([fetchLayer(media), fetchPicture(media)]);
  const saver = new LayerSaver(media, layer, picture);
  const saved = await edit({
    picture: originalUrl(picture),
    name: picture.file_name,
    markup: unsaved ?? { shapes: layer.shapes, crop: null },
    allowsDestruction: true,
    lossWarning: (markup) =>
      `${describeLoss(markup, "is deleted permanently")}${answered > 0 ? " People who answered are asked again." : ""}`,
    saveLabel: "Save",
    ...(answered > 0 ? { answered: { people: answered } } : {}),
    save: (markup, change, pauseSaving) => saver.save(markup, change, pauseSaving),
  });
  if (saver.isDiscarded) return markUpMedia(media, answered);
  // The page on which a person writes an update receives no server-sent events. Poll until the picture shows the marks,
  // then refresh the page.
  if (saved && uploads.current) void waitUntilDrawn(media, picture).then(refresh, () => undefined);
  return saved;
}

/**
 * Saves the marks of one picture. If somebody else changed them since they were loaded, asks the person which version
 * to keep.
 */
class LayerSaver {
  /** Whether the person chose the other version, so that the editor has to load it. */
  isDiscarded = false;
  #revision: number;

  constructor(
    private readonly media: string,
    layer: Layer,
    private readonly picture: Picture,
  ) {
    this.#revision = layer.revision;
  }

  async save(
    markup: Markup,
    change: RevisionChange | undefined,
    pauseSaving: PauseSaving,
  ): Promise<void> {
    try {
      await saveLayer(this.media, this.#revision, markup, change);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 409) throw error;
      await this.#resolveConflict(error, pauseSaving);
      if (!this.isDiscarded) await this.save(markup, change, pauseSaving);
    }
  }

  /**
   * Asks the person which version to keep. If they choose the other version, sets `isDiscarded`. If they choose their
   * own, adopts the new revision, so that the next save overwrites the other version. Throws a `Problem` if they
   * cancel.
   */
  async #resolveConflict(conflict: Problem, pauseSaving: PauseSaving): Promise<void> {
    const [layer, picture] = await Promise.all([fetchLayer(this.media), fetchPicture(this.media)]);
    // If the marks are unchanged, there is no conflict: the server refused for another reason, which its message
    // states.
    if (layer.revision === this.#revision) throw conflict;
    const isCropped =
      picture.width !== this.picture.width || picture.height !== this.picture.height;
    const [theirs, mine] = ["Load the other version", "Replace it with mine"] as const;
    const choice = await pauseSaving(() =>
      isCropped
        ? chooseAction(
            `${croppedMessage} Load the cropped picture? Your drawing will be lost.`,
            [theirs],
            true,
          )
        : chooseAction(
            "The marks of this picture were changed elsewhere. Your drawing is still here, but it is not saved. If you load the other version, your drawing will be lost.",
            [theirs, mine],
            true,
          ),
    );
    if (choice === null)
      throw new Problem("Not saved, because the marks were changed elsewhere.", 409);
    this.isDiscarded = choice === theirs;
    this.#revision = layer.revision;
  }
}
