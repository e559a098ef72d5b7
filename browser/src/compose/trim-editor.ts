// <trim-editor>: plays a recording above a strip with two handles that select the part to keep. The form's two inputs
// show the same times.
import { announce, icon, make } from "../lib/dom.js";
import { showError } from "../lib/error-banner.js";
import { refresh } from "../lib/refresh.js";
import { Problem, requestJson } from "../lib/request.js";
import { positionMs, seekTo } from "../update/source-swap.js";
import { type End, type Range, TrimStrip } from "./trim-strip.js";
import { formatExact, parseExact } from "./trim-time.js";

/** The minimum length of a trimmed recording, in milliseconds. The server enforces the same minimum. */
const shortest = 500;

/** State that exists only while the editor is open. */
interface Stage {
  element: HTMLElement;
  video: HTMLVideoElement;
  strip: TrimStrip;
}

export class TrimEditor extends HTMLElement {
  #stage: Stage | null = null;
  #position = make("output", { "aria-live": "off" });
  #playButton = make("button", { type: "button" });
  #range: Range = { from: 0, to: 0 };
  #frame = 0;
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const details = this.querySelector("details");
    details?.addEventListener("toggle", () => (details.open ? this.#open() : this.#close()), {
      signal,
    });
    this.addEventListener("submit", (event) => this.#handleSubmit(event), { signal });
    this.addEventListener(
      "input",
      ({ target }) => {
        if (target instanceof HTMLInputElement) this.#handleInput(target);
      },
      { signal },
    );
    document.addEventListener("hearback:refreshed", () => this.#reopenIfChanged(), { signal });
    const openIfLinked = (): void => this.#openIfLinked();
    document.addEventListener("turbo:load", openIfLinked, { signal });
    addEventListener("hashchange", openIfLinked, { signal });
    openIfLinked();
    if (details?.open) this.#open();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#close();
  }

  get #duration(): number {
    return Number(this.dataset["duration"]);
  }

  /** Opens the editor if the fragment of the page's URL is the editor's id. */
  #openIfLinked(): void {
    const details = this.querySelector("details");
    if (location.hash !== `#${this.id}` || !details || details.open) return;
    details.open = true;
    this.scrollIntoView({ block: "center" });
    details.querySelector("summary")?.focus({ preventScroll: true });
  }

  #open(): void {
    if (this.#stage) return;
    this.#range = { from: 0, to: this.#duration };
    for (const other of document.querySelectorAll("video")) other.pause();
    const video = this.#makeVideo();
    const strip = new TrimStrip(this.#duration, {
      moved: (end, ms) => this.#move(end, ms, true),
      seek: (ms) => this.#seek(ms),
    });
    const element = make(
      "div",
      { class: "trim-stage", "data-js": true },
      video,
      strip.element,
      this.#makeTools(),
    );
    this.#stage = { element, video, strip };
    this.querySelector(".trim-form")?.before(element);
    this.#draw();
  }

  #makeVideo(): HTMLVideoElement {
    const video = make("video", {
      playsinline: true,
      preload: "auto",
      "aria-label": this.dataset["name"] ?? "",
      "data-js": true,
    });
    if (this.dataset["from"] !== undefined) video.dataset["from"] = this.dataset["from"];
    video.src = this.dataset["src"] ?? "";
    video.addEventListener("click", () => this.#togglePlay());
    for (const event of ["play", "pause", "ended"])
      video.addEventListener(event, () => this.#showPlayState());
    for (const event of ["loadedmetadata", "seeked", "timeupdate"])
      video.addEventListener(event, () => this.#draw());
    video.addEventListener("loadedmetadata", () => this.#seek(this.#range.from), { once: true });
    return video;
  }

  #makeTools(): HTMLElement {
    this.#playButton.replaceChildren(icon("play"), make("span", {}, "Play"));
    this.#playButton.onclick = () => this.#togglePlay();
    const cutHere = (end: End, words: string): HTMLButtonElement => {
      const button = make("button", { type: "button" }, words);
      button.addEventListener("click", () => {
        if (this.#stage) this.#move(end, positionMs(this.#stage.video), true);
      });
      return button;
    };
    return make(
      "div",
      { class: "trim-tools" },
      this.#playButton,
      cutHere("from", "Start here"),
      cutHere("to", "End here"),
      this.#position,
    );
  }

  #close(): void {
    cancelAnimationFrame(this.#frame);
    this.#stage?.video.pause();
    this.#stage?.element.remove();
    this.#stage = null;
  }

  /** Reopens the editor if the refreshed page plays another file, for example because the recording was trimmed. */
  #reopenIfChanged(): void {
    if (!this.#stage || this.#stage.video.getAttribute("src") === this.dataset["src"]) return;
    this.#close();
    this.#open();
  }

  /**
   * Moves one end of the range and shows the video frame at that end. Keeps the ends at least `shortest` apart. `write`
   * also updates the end's input.
   */
  #move(end: End, ms: number, write: boolean): void {
    const { from, to } = this.#range;
    const limited = Math.round(
      end === "from"
        ? Math.min(Math.max(0, ms), to - shortest)
        : Math.max(Math.min(this.#duration, ms), from + shortest),
    );
    this.#range = { ...this.#range, [end]: Math.max(0, Math.min(this.#duration, limited)) };
    if (write) this.#writeInput(end);
    this.#seek(this.#range[end]);
    this.#draw();
  }

  #input(end: End): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>(`.trim-form [name=${end}]`);
  }

  #writeInput(end: End): void {
    const input = this.#input(end);
    if (input) input.value = formatExact(this.#range[end]);
    input?.removeAttribute("aria-invalid");
  }

  #handleInput(input: HTMLInputElement): void {
    const end = input.name === "from" ? "from" : input.name === "to" ? "to" : null;
    if (!end || !this.#stage) return;
    const ms = parseExact(input.value);
    input.removeAttribute("aria-invalid");
    if (ms === null) input.setAttribute("aria-invalid", "true");
    else this.#move(end, ms, false);
  }

  #seek(ms: number): void {
    // Seek at most to one millisecond before the end, because a video has no frame at its exact
    // end.
    if (this.#stage) seekTo(this.#stage.video, Math.max(0, Math.min(ms, this.#duration - 1)));
  }

  #togglePlay(): void {
    if (!this.#stage) return;
    const { video } = this.#stage;
    if (!video.paused) return video.pause();
    const now = positionMs(video);
    if (now < this.#range.from - 50 || now >= this.#range.to - 100) this.#seek(this.#range.from);
    video.play().catch(() => undefined);
  }

  #showPlayState(): void {
    const video = this.#stage?.video;
    const plays = video !== undefined && !video.paused && !video.ended;
    this.#playButton.replaceChildren(
      plays ? icon("pause") : icon("play"),
      make("span", {}, plays ? "Pause" : "Play"),
    );
    cancelAnimationFrame(this.#frame);
    if (plays) this.#frame = requestAnimationFrame(() => this.#stopAtEnd());
    this.#draw();
  }

  /** Checks the position on each frame while the video plays, and pauses the video at the end of the range. */
  #stopAtEnd(): void {
    const video = this.#stage?.video;
    if (!video || video.paused) return;
    if (positionMs(video) >= this.#range.to) {
      video.pause();
      this.#seek(this.#range.to);
    }
    this.#draw();
    this.#frame = requestAnimationFrame(() => this.#stopAtEnd());
  }

  #draw(): void {
    if (!this.#stage) return;
    const { from, to } = this.#range;
    const position = positionMs(this.#stage.video);
    this.#stage.strip.draw(this.#range, position);
    this.#position.textContent = `at ${formatExact(position, 1)} · ${formatExact(to - from, 1)} long`;
  }

  #handleSubmit(event: SubmitEvent): void {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
    event.preventDefault();
    void this.#send(form);
  }

  /** Sends the form that trims the recording, or the form that restores the whole recording. */
  async #send(form: HTMLFormElement): Promise<void> {
    if (form.getAttribute("aria-busy") === "true") return;
    const restores = form.classList.contains("trim-whole");
    const body = restores ? {} : this.#readRange(form);
    if (!body) return;
    form.setAttribute("aria-busy", "true");
    try {
      await requestJson(restores ? "DELETE" : "PUT", `/media/${this.dataset["media"] ?? ""}/trim`, {
        ...body,
        ...this.#readChange(),
      });
      await this.#finish(restores);
    } catch (error) {
      showError(
        error instanceof Problem ? error.message : "The trim was not saved. Try again in a moment.",
      );
    } finally {
      form.removeAttribute("aria-busy");
    }
  }

  /** Reads the two times. Shows an error and returns null if one of them is invalid. */
  #readRange(form: HTMLFormElement): Record<string, number> | null {
    const data = new FormData(form);
    const range: Record<string, number> = {};
    for (const end of ["from", "to"] as const) {
      const time = data.get(end);
      const ms = typeof time === "string" ? parseExact(time) : null;
      if (ms === null) {
        this.#input(end)?.focus();
        showError(
          `${end === "from" ? "Start" : "End"} is not a valid position. For example: 1:02.5.`,
        );
        return null;
      }
      range[`${end}_ms`] = ms;
    }
    return range;
  }

  /**
   * Reads from the trim form whether recipients must answer again, and what has changed. The form
   * that restores the recording has no inputs for this, so its requests use the trim form's values
   * too.
   */
  #readChange(): Record<string, string> {
    const material = this.querySelector<HTMLInputElement>(".trim-form [name=change]");
    if (!material?.checked) return {};
    const changed =
      this.querySelector<HTMLInputElement>(".trim-form [name=what_changed]")?.value.trim() ?? "";
    return { change: "material", ...(changed === "" ? {} : { what_changed: changed }) };
  }

  async #finish(restored: boolean): Promise<void> {
    document.getElementById("complaint")?.remove();
    // Reset the inputs to their defaults once their values are saved, because a refresh keeps
    // inputs that differ from their defaults.
    for (const input of this.querySelectorAll<HTMLInputElement>(".trim-form input"))
      if (input.type === "checkbox") input.checked = input.defaultChecked;
      else if (input.type !== "hidden") input.value = input.defaultValue;
    const details = this.querySelector("details");
    if (details) details.open = false;
    this.#close();
    announce(
      restored
        ? "The whole recording will play again soon."
        : "Saved. The recording is being trimmed.",
    );
    await refresh();
    details?.querySelector("summary")?.focus();
  }
}

customElements.define("trim-editor", TrimEditor);

declare global {
  interface HTMLElementTagNameMap {
    "trim-editor": TrimEditor;
  }
}
