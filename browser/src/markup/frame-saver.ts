// Saves a marked video frame as a new picture of an update.
import { Problem, requestJson } from "../lib/request.js";
import { FileUpload } from "../upload/file-upload.js";
import { redactPicture } from "./flatten.js";
import { saveLayer, waitUntilReady } from "./layer-api.js";
import type { RevisionChange } from "./session.js";
import type { Markup } from "./shapes.js";

/** Uploads a frame and saves its marks. A retry uploads the frame again only if the redactions or the crop changed. */
export class FrameSaver {
  /** The id of the uploaded picture. */
  media: string | null = null;
  /** The crop and the redactions applied to the uploaded picture. */
  #uploadedWith = "";

  constructor(
    private readonly file: File,
    private readonly update: string,
  ) {}

  async save(markup: Markup, change: RevisionChange | undefined): Promise<void> {
    const { picture, shapes } = await redactPicture(this.file, markup);
    const destroyed = JSON.stringify([
      markup.crop,
      markup.shapes.filter(({ kind }) => kind === "redaction"),
    ]);
    const media =
      this.media !== null && this.#uploadedWith === destroyed
        ? this.media
        : await this.#replaceUpload(picture, destroyed);
    await waitUntilReady(media);
    if (shapes.length > 0) await saveLayer(media, 0, { shapes, crop: null });
    if (change?.change === "material")
      await requestJson("PATCH", `/updates/${this.update}`, { ...change });
  }

  async #replaceUpload(picture: Blob, destroyed: string): Promise<string> {
    if (this.media !== null) await requestJson("DELETE", `/media/${this.media}?for_good=true`);
    this.media = null;
    const file = new File([picture], this.file.name, { type: picture.type });
    const upload = new FileUpload(file, this.update, () => undefined);
    await upload.send();
    if (upload.media === null)
      throw new Problem("The server is not responding. Try again in a moment.", 0);
    this.media = upload.media;
    this.#uploadedWith = destroyed;
    return upload.media;
  }
}
