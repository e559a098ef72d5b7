// Where one writes a comment, a question or a reply. What is typed is never lost: not by a failure, not by leaving, not by a refresh
// (comments/draft-autosave.ts keeps it), and for ten seconds not by sending either.
import { sentNotice, type UnseenPerson, unseenNotices } from "./sent-notices.js";
import { type Anchor, revealComment } from "../update/anchors.js";
import {
  announce,
  formatTime,
  icon,
  iconButton,
  make,
  readStorage,
  writeStorage,
} from "../lib/dom.js";
import { sendWithDrafts } from "./draft-autosave.js";
import { showError, removeGuestNameFields } from "../lib/dialogs.js";
import { drawAnchor, wasCropped, confirmRedraw } from "../markup/mark-comment.js";
import { refresh } from "../lib/refresh.js";
import { requestJson, Problem } from "../lib/request.js";
import { seekTo, durationMs } from "../update/source-swap.js";
import { stage } from "../update/media-stage.js";

/** What was sent, to be put back. */
interface Sent {
  id: string;
  text: string;
  asks: boolean;
  anchor: Anchor | null;
  pictures: File[];
}

export class CommentComposer extends HTMLElement {
  #anchor: Anchor | null = null;
  /** The person took the chip away: it does not come back by itself. */
  #declined = false;
  #pictures: File[] = [];
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const [form, area] = [this.#form, this.#area];
    if (!form || !area) return;
    form.addEventListener(
      "submit",
      (event) => {
        event.preventDefault();
        void this.#send();
      },
      { signal },
    );
    area.addEventListener("input", () => this.#typed(), { signal });
    area.addEventListener(
      "keydown",
      (event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          form.requestSubmit();
        } else if (event.key === "Escape") {
          // The names that are offered go first.
          if (area.getAttribute("aria-expanded") === "true") return;
          if (this.#anchor && !this.#anchor.drawing && area.value === "") this.setAnchor(null);
          else area.blur();
        }
      },
      { signal },
    );
    this.addEventListener("paste", (event) => this.#paste(event), { signal });
    this.addEventListener(
      "click",
      (event) => {
        const starter =
          event.target instanceof Element ? event.target.closest("[data-starter]") : null;
        if (starter) this.#begin(starter.textContent ?? "");
        if (event.target instanceof Element && event.target.closest("[data-draw]"))
          void this.openDrawing();
      },
      { signal },
    );
    const input = form.querySelector<HTMLInputElement>("input[type=file]");
    input?.addEventListener(
      "change",
      () => {
        this.#add(input.files ?? []);
        input.value = "";
      },
      { signal },
    );
    if (this.#main) {
      document.addEventListener("hearback:media-shown", () => this.#offer(), { signal });
      this.#offer();
      // Not sent yet when the page was left: like the words, it is here again.
      const drawn = readStorage("sessionStorage", this.#key);
      if (drawn !== null) this.setAnchor(JSON.parse(drawn) as Anchor);
      document.addEventListener(
        "hearback:point",
        (event) => {
          const there = event.detail;
          const drawing = this.#anchor?.drawing;
          if (drawing && this.#anchor?.media !== there.media)
            return announce("Your drawing is on another picture. Send it or remove it first.");
          const size = this.#anchor?.size;
          this.setAnchor(
            drawing ? { ...there, drawing, ...(size === undefined ? {} : { size }) } : there,
          );
          this.startWriting();
          this.querySelector(".composer-anchor")?.scrollIntoView({ block: "nearest" });
        },
        { signal },
      );
    }
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  /** Sets or removes the place the comment points to. */
  setAnchor(anchor: Anchor | null): void {
    this.#anchor = anchor;
    if (this.#main)
      writeStorage("sessionStorage", this.#key, anchor?.drawing ? JSON.stringify(anchor) : null);
    this.#draw();
    stage()?.setPendingAnchor(anchor);
  }

  /** Puts the cursor where one writes; a question, if it is to be one. */
  startWriting(asks = false): void {
    if (asks && this.#asks) this.#asks.checked = true;
    this.#area?.focus();
  }

  /** Opens the editor on what the stage shows, or on the drawing that this comment has already. */
  async openDrawing(): Promise<void> {
    const button = this.querySelector<HTMLElement>("[data-draw]");
    if (!button || button.hidden || button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      const place = await drawAnchor(this.#anchor);
      if (!place) return;
      this.setAnchor(place);
      this.startWriting();
      if (place.drawing) announce("Your drawing goes with the comment.");
    } catch (error) {
      showError(error instanceof Error ? error.message : String(error));
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** Where there is nothing to draw on, it is not offered. */
  #offer(): void {
    const button = this.querySelector<HTMLElement>("[data-draw]");
    if (button) button.hidden = !stage()?.imageViewer && !stage()?.video;
  }

  get #key(): string {
    return `drawing ${this.dataset["update"] ?? ""}`;
  }

  /** Puts the beginning of a question into the text, the part to be filled in selected. */
  #begin(starter: string): void {
    const area = this.#area;
    if (!area) return;
    const [before, gap] = [area.value.trim(), starter.indexOf("…")];
    area.value = before === "" ? starter : `${before} ${starter}`;
    const at = area.value.length - starter.length + gap;
    area.focus();
    area.setSelectionRange(at, at + 1);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Whether it is a question; a reply never is. */
  get #asks(): HTMLInputElement | null {
    return this.querySelector("input[name=kind]");
  }

  get #form(): HTMLFormElement | null {
    return this.querySelector("form");
  }

  get #area(): HTMLTextAreaElement | null {
    return this.querySelector("textarea");
  }

  get #main(): boolean {
    return this.dataset["parent"] === undefined;
  }

  #typed(): void {
    const text = this.#area?.value ?? "";
    if (text === "") this.#declined = false;
    // The second at which one began to type, not the one at which one was done.
    else if (this.#main && !this.#anchor && !this.#declined && text.length < 3) {
      const here = stage()?.currentAnchor();
      if (here) this.setAnchor(here);
    }
  }

  #draw(): void {
    const box = this.querySelector<HTMLElement>(".composer-anchor");
    if (!box) return;
    box.hidden = this.#anchor === null;
    if (!this.#anchor) return box.replaceChildren();
    const { at, media, drawing } = this.#anchor;
    const on = (stage()?.count ?? 1) > 1 ? ` on ${stage()?.numberOf(media) ?? 1}` : "";
    const chip = make(
      "span",
      { class: "anchor-chip" },
      at === undefined ? icon("map-pin") : icon("clock"),
      at === undefined
        ? `at this ${this.#anchor.region && this.#anchor.region.w > 0 ? "part" : "spot"}${on}`
        : `at ${formatTime(at)}${on}`,
    );
    const remove = iconButton("Not at a place", icon("x"), "");
    remove.addEventListener("click", () => {
      this.#declined = true;
      this.setAnchor(null);
      this.startWriting();
    });
    // What was drawn on one frame would lie elsewhere on the next.
    const nudges =
      at === undefined || drawing
        ? []
        : [-1, 1].map((by) => {
            const button = make(
              "button",
              {
                type: "button",
                "aria-label": by < 0 ? "−1 s, one second earlier" : "+1 s, one second later",
              },
              by < 0 ? "−1 s" : "+1 s",
            );
            button.addEventListener("click", () => this.#nudge(by * 1000));
            return button;
          });
    // On a picture the drawing itself is the place.
    box.replaceChildren(
      ...(drawing && at === undefined ? [] : [chip, ...nudges, remove]),
      ...(drawing ? this.#drawingChip(drawing.length) : []),
    );
  }

  /** Pressed, it is drawn on. */
  #drawingChip(marks: number): HTMLElement[] {
    const chip = make(
      "button",
      { type: "button", class: "anchor-chip" },
      icon("pen-line"),
      `Drawing, ${marks} ${marks === 1 ? "mark" : "marks"}`,
    );
    chip.addEventListener("click", () => void this.openDrawing());
    const remove = iconButton("Without the drawing", icon("x"), "");
    remove.addEventListener("click", () => {
      const { media = "", at } = this.#anchor ?? {};
      this.setAnchor(at === undefined ? null : { media, at });
      this.startWriting();
    });
    return [make("span", { class: "drawing-chip" }, chip, remove)];
  }

  #nudge(by: number): void {
    if (this.#anchor?.at === undefined) return;
    const video = stage()?.video;
    const end =
      video && (video.dataset["duration"] !== undefined || Number.isFinite(video.duration))
        ? Math.floor(durationMs(video))
        : Infinity;
    const at = Math.min(end, Math.max(0, this.#anchor.at + by));
    const focused = document.activeElement?.getAttribute("aria-label");
    this.setAnchor({ ...this.#anchor, at });
    if (focused)
      this.querySelector<HTMLElement>(
        `.composer-anchor [aria-label="${CSS.escape(focused)}"]`,
      )?.focus();
    if (video?.paused) seekTo(video, at);
    announce(`at ${formatTime(at)}`);
  }

  #paste(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) =>
      file.type.startsWith("image/"),
    );
    if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    this.#add(files);
  }

  #add(files: Iterable<File>): void {
    this.#pictures.push(...files);
    this.#drawPictures();
  }

  #drawPictures(): void {
    const box = this.querySelector<HTMLElement>(".composer-pictures");
    if (!box) return;
    for (const image of box.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    box.hidden = this.#pictures.length === 0;
    box.replaceChildren(
      ...this.#pictures.map((file, index) => {
        const remove = iconButton(`Remove ${file.name}`, icon("x"), "");
        remove.addEventListener("click", () => {
          this.#pictures.splice(index, 1);
          this.#drawPictures();
        });
        return make(
          "figure",
          {},
          make("img", { src: URL.createObjectURL(file), alt: file.name }),
          remove,
        );
      }),
    );
  }

  async #send(): Promise<void> {
    const [form, area] = [this.#form, this.#area];
    if (!form || !area || form.getAttribute("aria-busy") === "true") return;
    if (area.value.trim() === "" && this.#pictures.length === 0 && !this.#anchor?.drawing)
      return area.focus();
    const fields: [string, string][] = [...new FormData(form)].filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    if (this.#anchor) {
      fields.push(["media_id", this.#anchor.media]);
      if (this.#anchor.at !== undefined) fields.push(["at_ms", String(this.#anchor.at)]);
      if (this.#anchor.region) fields.push(["region", JSON.stringify(this.#anchor.region)]);
      if (this.#anchor.drawing) fields.push(["drawing", JSON.stringify(this.#anchor.drawing)]);
    }
    const body = this.#pictures.length > 0 ? new FormData() : new URLSearchParams();
    for (const [name, value] of fields) body.append(name, value);
    if (body instanceof FormData)
      for (const picture of this.#pictures) body.append("pictures", picture);
    form.setAttribute("aria-busy", "true");
    this.#failed(null);
    try {
      if (this.#anchor?.drawing && (await wasCropped(this.#anchor))) {
        if (!(await confirmRedraw()))
          throw new Problem(
            "Not sent: the picture was cropped elsewhere meanwhile. Your words are still here.",
            409,
          );
        this.setAnchor(null);
        return void this.openDrawing();
      }
      const made = (await sendWithDrafts(form, () => requestJson("POST", form.action, body))) as {
        id: string;
        unseen?: UnseenPerson[];
      };
      const sent: Sent = {
        id: made.id,
        text: area.value,
        asks: this.#asks?.checked ?? false,
        anchor: this.#anchor,
        pictures: this.#pictures,
      };
      area.defaultValue = "";
      form.reset();
      if (this.#asks) this.#asks.checked = false;
      this.#pictures = [];
      this.#drawPictures();
      this.#declined = false;
      if (this.#main) this.setAnchor(null);
      this.closest<HTMLDetailsElement>("details.reply")?.removeAttribute("open");
      if (fields.some(([name]) => name === "name")) removeGuestNameFields();
      this.#after(sent, made.unseen ?? []);
      await refresh();
      announce("Sent. You can undo it for ten seconds.");
      const comment = document.getElementById(`c-${made.id}`);
      if (comment) {
        revealComment(comment);
        comment.focus({ preventScroll: true });
      }
    } catch (error) {
      this.#failed(
        error instanceof Problem
          ? error.message
          : "It was not sent. Your words are still here; try again in a moment.",
      );
      area.focus();
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  /** Beside the composer, or where the reply was written: Undo, and who cannot see it. */
  #after(sent: Sent, unseen: UnseenPerson[]): void {
    const reply = this.closest("details.reply");
    const place = reply?.closest(".thread-actions") ?? this;
    while (place.nextElementSibling?.matches(".sent-row, .note.unseen[data-js]"))
      place.nextElementSibling.remove();
    place.after(
      sentNotice(
        () => document.getElementById(`c-${sent.id}`),
        () => this.#undo(sent),
      ),
      ...unseenNotices(this.dataset["update"] ?? "", unseen),
    );
  }

  async #undo({ id, text, asks, anchor, pictures }: Sent): Promise<void> {
    const area = this.#area;
    try {
      await requestJson("DELETE", `/comments/${id}`);
    } catch (error) {
      return this.#failed(
        error instanceof Problem
          ? error.message
          : "It was not taken back. Try again, or remove it.",
      );
    }
    if (!area) return;
    // What was begun meanwhile stays behind it.
    area.value = area.value.trim() === "" ? text : `${text}\n\n${area.value}`;
    if (this.#asks) this.#asks.checked = asks;
    this.#pictures.push(...pictures);
    this.#drawPictures();
    if (this.#main && anchor) this.setAnchor(anchor);
    this.closest<HTMLDetailsElement>("details.reply")?.setAttribute("open", "");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
    announce("Taken back. Your words are in the box again.");
    await refresh();
  }

  #failed(text: string | null): void {
    this.querySelector(".failed")?.remove();
    if (text !== null)
      this.#form?.append(make("p", { class: "failed", role: "alert", "data-js": true }, text));
  }
}

customElements.define("comment-composer", CommentComposer);

declare global {
  interface HTMLElementTagNameMap {
    "comment-composer": CommentComposer;
  }
}

/** Where one writes a new comment on this page. */
export function mainComposer(): CommentComposer | null {
  return document.querySelector<CommentComposer>("comment-composer.main-composer");
}
