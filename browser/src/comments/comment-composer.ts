// <comment-composer>: the form for a comment, a question or a reply. <draft-box> saves the text, so that it is not lost
// if a request fails, the page is refreshed or the person leaves. For ten seconds after sending, Undo deletes the
// comment and restores its text and pictures in the form.
import { announce, make } from "../lib/dom.js";
import { withGuestName } from "../lib/guest-name.js";
import { markOfflineNotice, sendWhenConnected, waitingMessage } from "../lib/offline.js";
import { insertsText, pastedFiles } from "../lib/pasted-files.js";
import { refreshComment } from "../lib/refresh.js";
import { Problem, requestJson } from "../lib/request.js";
import { confirmRedraw, wasCropped } from "../markup/mark-comment.js";
import { type Anchor, revealComment } from "../update/anchors.js";
import { Attachments } from "./attachments.js";
import { ComposerAnchor } from "./composer-anchor.js";
import { sendWithDrafts } from "./draft-autosave.js";
import { closeReply, openReply } from "./replies.js";
import { sentNotice, unseenNotices, type UnseenPerson } from "./sent-notices.js";
import { loadComment } from "./thread-loader.js";

/** A sent comment, kept so that undo can restore it. */
interface SentComment {
  id: string;
  text: string;
  isQuestion: boolean;
  anchor: Anchor | null;
  pictures: readonly File[];
}

export class CommentComposer extends HTMLElement {
  #anchor = new ComposerAnchor(this);
  #attachments = new Attachments(() => this.querySelector<HTMLElement>(".composer-pictures"));
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
    area.addEventListener("input", () => this.#anchor.followTyping(area.value), { signal });
    area.addEventListener("keydown", (event) => this.#key(event, form, area), { signal });
    this.addEventListener("paste", (event) => this.#paste(event), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    const input = form.querySelector<HTMLInputElement>("input[type=file]");
    input?.addEventListener(
      "change",
      () => {
        this.#attachments.add(input.files ?? []);
        input.value = "";
      },
      { signal },
    );
    if (this.isMain) this.#anchor.connectToStage(signal);
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  setAnchor(anchor: Anchor | null): void {
    this.#anchor.set(anchor);
  }

  /** Focuses the text area, and ticks "question" if `asQuestion`. */
  startWriting(asQuestion = false): void {
    if (asQuestion && this.#questionBox) this.#questionBox.checked = true;
    const area = this.#area;
    area?.focus({ preventScroll: true });
    // Scrolls only if the field is out of view, which happens only while the columns are stacked.
    area?.scrollIntoView({ block: "nearest" });
  }

  /** Opens the markup editor with the comment's drawing. If there is none, opens it with the media on the stage. */
  openDrawing(): Promise<void> {
    return this.#anchor.draw();
  }

  /** The checkbox that makes the comment a question; null for replies. */
  get #questionBox(): HTMLInputElement | null {
    return this.querySelector("input[name=kind]");
  }

  get #form(): HTMLFormElement | null {
    return this.querySelector("form");
  }

  get #area(): HTMLTextAreaElement | null {
    return this.querySelector("textarea");
  }

  /** Whether this is the page's main composer, rather than the composer of a reply. */
  get isMain(): boolean {
    return this.dataset["parent"] === undefined;
  }

  /** The id of the first comment of the thread that a reply belongs to. */
  get #rootId(): string {
    return this.dataset["parent"] ?? "";
  }

  #key(event: KeyboardEvent, form: HTMLFormElement, area: HTMLTextAreaElement): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "Escape") {
      // While the list of suggested names is open, let Escape close only that list.
      if (area.getAttribute("aria-expanded") === "true") return;
      const anchor = this.#anchor.current;
      if (anchor && !anchor.drawing && area.value === "") this.setAnchor(null);
      else area.blur();
    }
  }

  #click(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return;
    const starter = event.target.closest("[data-starter]");
    if (starter) this.#insertStarter(starter.textContent ?? "");
    if (event.target.closest("[data-draw]")) void this.openDrawing();
  }

  /**
   * Appends a starter, the beginning of a question, and selects its "…", so that typing replaces
   * the "…".
   */
  #insertStarter(starter: string): void {
    const area = this.#area;
    if (!area) return;
    const [before, gap] = [area.value.trim(), starter.indexOf("…")];
    area.value = before === "" ? starter : `${before} ${starter}`;
    const start = area.value.length - starter.length + gap;
    area.focus();
    area.setSelectionRange(start, start + 1);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #paste(event: ClipboardEvent): void {
    const files = pastedFiles(event).filter((file) => file.type.startsWith("image/"));
    if (files.length === 0) return;
    if (!insertsText(event)) event.preventDefault();
    this.#attachments.add(files);
  }

  async #send(): Promise<void> {
    const [form, area] = [this.#form, this.#area];
    if (!form || !area || form.getAttribute("aria-busy") === "true") return;
    const anchor = this.#anchor.current;
    if (area.value.trim() === "" && this.#attachments.files.length === 0 && !anchor?.drawing)
      return area.focus();
    const body = this.#body(this.#fields(form));
    form.setAttribute("aria-busy", "true");
    this.#showFailure(null);
    try {
      if (anchor?.drawing && (await wasCropped(anchor))) return await this.#redraw();
      const created = (await sendWithDrafts(form, () =>
        withGuestName((name) => {
          if (name !== undefined) body.set("name", name);
          return requestJson("POST", form.action, body);
        }),
      )) as { id: string; unseen?: UnseenPerson[] };
      const sent = this.#reset(form, area, created.id);
      this.#showNotices(sent, created.unseen ?? []);
      const hadFocus = this.contains(document.activeElement);
      if (!this.isMain) closeReply(this.#rootId);
      await refreshComment(created.id);
      announce("Sent. You can undo it for ten seconds.");
      await this.#focusSent(created.id, hadFocus);
    } catch (error) {
      this.#reportUnsent(error);
      area.focus();
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  /**
   * Shows and focuses the comment that was just sent. Does nothing if the person has moved the
   * focus elsewhere in the meantime.
   */
  async #focusSent(id: string, hadFocus: boolean): Promise<void> {
    const { activeElement, body } = document;
    // When a reply form closes, the button that opened it gets the focus.
    const isHere = this.isMain
      ? this.contains(activeElement)
      : hadFocus && activeElement?.matches(".reply-opener");
    if (activeElement !== body && !isHere) return;
    const comment = await loadComment(`c-${id}`);
    if (!comment) return;
    revealComment(comment);
    comment.focus({ preventScroll: true });
  }

  #reportUnsent(error: unknown): void {
    if (sendWhenConnected(this, error, () => void this.#send()))
      return this.#showFailure(waitingMessage(), true);
    this.#showFailure(
      error instanceof Problem
        ? error.message
        : "Your comment was not sent. Your text is still here; try again in a moment.",
    );
  }

  #fields(form: HTMLFormElement): [name: string, value: string][] {
    const typed = [...new FormData(form)].filter(
      // The field for a guest's name is for browsers without scripts.
      (entry): entry is [string, string] =>
        typeof entry[1] === "string" && !(entry[0] === "name" && entry[1] === ""),
    );
    return [...typed, ...this.#anchor.fields];
  }

  /** Returns the request body, which is multipart if pictures are attached. */
  #body(fields: [name: string, value: string][]): FormData | URLSearchParams {
    const { files } = this.#attachments;
    const body = files.length > 0 ? new FormData() : new URLSearchParams();
    for (const [name, value] of fields) body.append(name, value);
    if (body instanceof FormData) for (const file of files) body.append("pictures", file);
    return body;
  }

  /**
   * Asks the person to draw again. Called if the picture was cropped after they drew on it, which
   * leaves the drawing in the wrong place. Throws a `Problem` if they decline.
   */
  async #redraw(): Promise<void> {
    if (!(await confirmRedraw()))
      throw new Problem(
        "Not sent, because the picture was cropped elsewhere. Your text is still here.",
        409,
      );
    this.setAnchor(null);
    void this.openDrawing();
  }

  /** Empties the form after sending, and returns what it contained. */
  #reset(form: HTMLFormElement, area: HTMLTextAreaElement, id: string): SentComment {
    const sent: SentComment = {
      id,
      text: area.value,
      isQuestion: this.#questionBox?.checked ?? false,
      anchor: this.#anchor.current,
      pictures: [...this.#attachments.files],
    };
    area.defaultValue = "";
    form.reset();
    if (this.#questionBox) this.#questionBox.checked = false;
    this.#attachments.clear();
    this.#anchor.reset();
    return sent;
  }

  /**
   * Shows the Undo button, and a notice for each mentioned person who cannot see the comment. For a new comment, they
   * appear below the composer. For a reply, they appear below the thread's buttons, because the reply form closes after
   * sending.
   */
  #showNotices(sent: SentComment, unseen: UnseenPerson[]): void {
    const place = this.closest(".thread-actions") ?? this;
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

  async #undo({ id, text, isQuestion, anchor, pictures }: SentComment): Promise<void> {
    const area = this.#area;
    try {
      await requestJson("DELETE", `/comments/${id}`);
    } catch (error) {
      return this.#showFailure(
        error instanceof Problem
          ? error.message
          : "Sending could not be undone. Try again, or remove the comment.",
      );
    }
    if (!area) return;
    // Keep text that the person has typed since sending, and put it below the restored text.
    area.value = area.value.trim() === "" ? text : `${text}\n\n${area.value}`;
    if (this.#questionBox) this.#questionBox.checked = isQuestion;
    this.#attachments.add(pictures);
    if (this.isMain && anchor) this.setAnchor(anchor);
    if (!this.isMain) openReply(this.#rootId);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
    announce("Undone. Your text is in the box again.");
    await refreshComment(id);
  }

  #showFailure(message: string | null, isWaiting = false): void {
    this.querySelector(".failed")?.remove();
    if (message === null) return;
    const notice = make("p", { class: "failed", role: "alert", "data-js": true }, message);
    markOfflineNotice(notice, isWaiting);
    this.#form?.append(notice);
  }
}

customElements.define("comment-composer", CommentComposer);

declare global {
  interface HTMLElementTagNameMap {
    "comment-composer": CommentComposer;
  }
}

/** Returns this page's composer for new comments, or null. */
export function mainComposer(): CommentComposer | null {
  return document.querySelector<CommentComposer>("comment-composer.main-composer");
}
