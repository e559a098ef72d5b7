// Where one writes a comment or a reply. What is typed is never lost: not by a failure, not by leaving, not by a refresh.
import { type Anchor, reveal } from "./anchors.js";
import { announce, clock, icon, iconButton, make, remember } from "./dom.js";
import { nameIsKnown } from "./forms.js";
import { refresh } from "./morph.js";
import { ask, Problem } from "./request.js";
import { stage } from "./update-stage.js";

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
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    }, { signal });
    area.addEventListener("input", () => this.#typed(), { signal });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        form.requestSubmit();
      } else if (event.key === "Escape") {
        if (this.#anchor && area.value === "") this.place(null);
        else area.blur();
      }
    }, { signal });
    this.addEventListener("paste", (event) => this.#paste(event), { signal });
    const input = form.querySelector<HTMLInputElement>("input[type=file]");
    input?.addEventListener("change", () => {
      this.#add(input.files ?? []);
      input.value = "";
    }, { signal });
    if (this.#main) {
      document.addEventListener("hearback:place", (event) => {
        this.place((event as CustomEvent<Anchor>).detail);
        this.write();
        this.querySelector(".composer-anchor")?.scrollIntoView({ block: "nearest" });
      }, { signal });
    }
    const kept = remember("sessionStorage", this.#key);
    if (kept !== null && area.value === "") {
      area.value = kept;
      if (!this.#main) this.closest("details")?.setAttribute("open", "");
    }
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
  }

  /** Sets or removes the place the comment points to. */
  place(anchor: Anchor | null): void {
    this.#anchor = anchor;
    this.#draw();
    stage()?.mark(anchor);
  }

  /** Puts the cursor where one writes. */
  write(): void {
    this.#area?.focus();
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

  get #key(): string {
    return `unsent ${this.dataset["update"] ?? ""} ${this.dataset["parent"] ?? ""}`;
  }

  #typed(): void {
    const text = this.#area?.value ?? "";
    remember("sessionStorage", this.#key, text);
    if (text === "") this.#declined = false;
    // The second at which one began to type, not the one at which one was done.
    else if (this.#main && !this.#anchor && !this.#declined && text.length < 3) {
      const here = stage()?.here();
      if (here) this.place(here);
    }
  }

  #draw(): void {
    const box = this.querySelector<HTMLElement>(".composer-anchor");
    if (!box) return;
    box.hidden = this.#anchor === null;
    if (!this.#anchor) return box.replaceChildren();
    const { at, media } = this.#anchor;
    const on = (stage()?.count ?? 1) > 1 ? ` on ${stage()?.number(media) ?? 1}` : "";
    const chip = make("span", { class: "anchor-chip" }, icon(at === undefined ? "map-pin" : "clock"), at === undefined ? `at this ${this.#anchor.region && this.#anchor.region.w > 0 ? "part" : "spot"}${on}` : `at ${clock(at)}${on}`);
    const remove = iconButton("Not at a place", icon("x"), "");
    remove.addEventListener("click", () => {
      this.#declined = true;
      this.place(null);
      this.write();
    });
    const nudges = at === undefined ? [] : [-1, 1].map((by) => {
      const button = make("button", { type: "button", "aria-label": by < 0 ? "One second earlier" : "One second later" }, by < 0 ? "−1 s" : "+1 s");
      button.addEventListener("click", () => this.#nudge(by * 1000));
      return button;
    });
    box.replaceChildren(chip, ...nudges, remove);
  }

  #nudge(by: number): void {
    if (this.#anchor?.at === undefined) return;
    const video = stage()?.video;
    const end = video && Number.isFinite(video.duration) ? Math.floor(video.duration * 1000) : Infinity;
    const at = Math.min(end, Math.max(0, this.#anchor.at + by));
    const focused = document.activeElement?.getAttribute("aria-label");
    this.place({ ...this.#anchor, at });
    if (focused) this.querySelector<HTMLElement>(`.composer-anchor [aria-label="${CSS.escape(focused)}"]`)?.focus();
    if (video?.paused) video.currentTime = at / 1000;
    announce(`at ${clock(at)}`);
  }

  #paste(event: ClipboardEvent): void {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
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
    box.replaceChildren(...this.#pictures.map((file, index) => {
      const remove = iconButton(`Remove ${file.name}`, icon("x"), "");
      remove.addEventListener("click", () => {
        this.#pictures.splice(index, 1);
        this.#drawPictures();
      });
      return make("figure", {}, make("img", { src: URL.createObjectURL(file), alt: file.name }), remove);
    }));
  }

  async #send(): Promise<void> {
    const [form, area] = [this.#form, this.#area];
    if (!form || !area || form.getAttribute("aria-busy") === "true") return;
    if (area.value.trim() === "" && this.#pictures.length === 0) return area.focus();
    const fields: [string, string][] = [...new FormData(form)].filter((entry): entry is [string, string] => typeof entry[1] === "string");
    if (this.#anchor) {
      fields.push(["media_id", this.#anchor.media]);
      if (this.#anchor.at !== undefined) fields.push(["at_ms", String(this.#anchor.at)]);
      if (this.#anchor.region) fields.push(["region", JSON.stringify(this.#anchor.region)]);
    }
    const body = this.#pictures.length > 0 ? new FormData() : new URLSearchParams();
    for (const [name, value] of fields) body.append(name, value);
    if (body instanceof FormData) for (const picture of this.#pictures) body.append("pictures", picture);
    form.setAttribute("aria-busy", "true");
    this.#failed(null);
    try {
      const made = (await ask("POST", form.action, body)) as { id?: string } | null;
      form.reset();
      area.value = "";
      remember("sessionStorage", this.#key, null);
      this.#pictures = [];
      this.#drawPictures();
      this.#declined = false;
      if (this.#main) this.place(null);
      this.closest<HTMLDetailsElement>("details.reply")?.removeAttribute("open");
      if (fields.some(([name]) => name === "name")) nameIsKnown();
      await refresh();
      announce("Sent.");
      const comment = made?.id ? document.getElementById(`c-${made.id}`) : null;
      if (comment) {
        reveal(comment);
        comment.focus({ preventScroll: true });
      }
    } catch (error) {
      this.#failed(error instanceof Problem ? error.message : "It was not sent. Your words are still here; try again in a moment.");
      area.focus();
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  #failed(text: string | null): void {
    this.querySelector(".failed")?.remove();
    if (text !== null) this.#form?.append(make("p", { class: "failed", role: "alert", "data-js": true }, text));
  }
}

customElements.define("comment-composer", CommentComposer);

/** Where one writes a new comment on this page. */
export function composer(): CommentComposer | null {
  return document.querySelector<CommentComposer>("comment-composer.main-composer");
}
