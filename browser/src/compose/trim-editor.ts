// Trimming a recording: it plays above a strip with two handles, and only what lies between them. The two fields of the form say the same.
import { announce, icon, make } from "../lib/dom.js";
import { showError } from "../lib/dialogs.js";
import { refresh } from "../lib/refresh.js";
import { requestJson, Problem } from "../lib/request.js";
import { seekTo, positionMs } from "../update/source-swap.js";

type End = "from" | "to";

/** So much has to be left; the server says the same. */
const shortest = 500;

class TrimEditor extends HTMLElement {
  #video: HTMLVideoElement | null = null;
  #stage: HTMLElement | null = null;
  #handles: Record<End, HTMLElement> | null = null;
  #kept = make("div", { class: "trim-kept" });
  #now = make("div", { class: "trim-now" });
  #says = make("output", { "aria-live": "off" });
  #play = make("button", { type: "button" });
  #at: Record<End, number> = { from: 0, to: 0 };
  #frame = 0;
  #listeners = new AbortController();

  connectedCallback(): void {
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const details = this.querySelector("details");
    details?.addEventListener(
      "toggle",
      () => {
        if (details.open) this.#open();
        else this.#close();
      },
      { signal },
    );
    this.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.addEventListener(
      "input",
      ({ target }) => {
        if (target instanceof HTMLInputElement) this.#typed(target);
      },
      { signal },
    );
    document.addEventListener("hearback:refreshed", () => this.#fresh(), { signal });
    const follow = () => this.#follow();
    document.addEventListener("turbo:load", follow, { signal });
    addEventListener("hashchange", follow, { signal });
    follow();
    if (details?.open) this.#open();
  }

  disconnectedCallback(): void {
    this.#listeners.abort();
    this.#close();
  }

  get #length(): number {
    return Number(this.dataset["duration"]);
  }

  /** Came here to trim this. */
  #follow(): void {
    const details = this.querySelector("details");
    if (location.hash !== `#${this.id}` || !details || details.open) return;
    details.open = true;
    this.scrollIntoView({ block: "center" });
    details.querySelector("summary")?.focus({ preventScroll: true });
  }

  #open(): void {
    if (this.#stage) return;
    this.#at = { from: 0, to: this.#length };
    for (const other of document.querySelectorAll("video")) other.pause();
    const video = make("video", {
      playsinline: true,
      preload: "auto",
      "aria-label": this.dataset["name"] ?? "",
      "data-js": true,
    });
    if (this.dataset["from"] !== undefined) video.dataset["from"] = this.dataset["from"];
    video.src = this.dataset["src"] ?? "";
    this.#video = video;
    const strip = make("div", { class: "trim-strip" }, this.#kept, this.#now);
    this.#handles = { from: this.#handle("from", strip), to: this.#handle("to", strip) };
    strip.append(this.#handles.from, this.#handles.to);
    // Anywhere else on the strip goes to that moment.
    strip.addEventListener("pointerdown", (event) => {
      if (!(event.target instanceof Element && event.target.closest("[role=slider]")))
        this.#go(this.#under(event, strip));
    });
    this.#play.replaceChildren(icon("play"), make("span", {}, "Play"));
    this.#play.onclick = () => this.#toggle();
    const here = (end: End, words: string) => {
      const button = make("button", { type: "button" }, words);
      button.addEventListener("click", () => {
        if (this.#video) this.#move(end, positionMs(this.#video), true);
      });
      return button;
    };
    this.#stage = make(
      "div",
      { class: "trim-stage", "data-js": true },
      video,
      strip,
      make(
        "div",
        { class: "trim-tools" },
        this.#play,
        here("from", "Start here"),
        here("to", "End here"),
        this.#says,
      ),
    );
    video.addEventListener("click", () => this.#toggle());
    for (const event of ["play", "pause", "ended"])
      video.addEventListener(event, () => this.#playing());
    for (const event of ["loadedmetadata", "seeked", "timeupdate"])
      video.addEventListener(event, () => this.#draw());
    video.addEventListener("loadedmetadata", () => this.#go(this.#at.from), { once: true });
    this.querySelector(".trim-form")?.before(this.#stage);
    this.#draw();
  }

  #close(): void {
    cancelAnimationFrame(this.#frame);
    this.#video?.pause();
    this.#stage?.remove();
    this.#stage = this.#video = this.#handles = null;
  }

  /** The page was fetched again: another stretch may play now. */
  #fresh(): void {
    if (!this.#video || this.#video.getAttribute("src") === this.dataset["src"]) return;
    this.#close();
    this.#open();
  }

  #handle(end: End, strip: HTMLElement): HTMLElement {
    const handle = make("div", {
      class: "trim-handle",
      role: "slider",
      tabindex: "0",
      "data-end": end,
      "aria-label": end === "from" ? "Start" : "End",
      "aria-valuemin": "0",
      "aria-valuemax": String(this.#length),
    });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      handle.focus();
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId))
        this.#move(end, this.#under(event, strip), true);
    });
    handle.addEventListener("keydown", (event) => {
      const step = event.shiftKey ? 1000 : 100;
      const to: Record<string, number> = {
        ArrowLeft: this.#at[end] - step,
        ArrowDown: this.#at[end] - step,
        ArrowRight: this.#at[end] + step,
        ArrowUp: this.#at[end] + step,
        PageDown: this.#at[end] - 10_000,
        PageUp: this.#at[end] + 10_000,
        Home: 0,
        End: this.#length,
      };
      const there = to[event.key];
      if (there === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.#move(end, there, true);
    });
    return handle;
  }

  #under(event: PointerEvent, strip: HTMLElement): number {
    const box = strip.getBoundingClientRect();
    return Math.round(((event.clientX - box.left) / box.width) * this.#length);
  }

  /** Moves an end, as far as the other allows, and shows what is there. */
  #move(end: End, ms: number, tell: boolean): void {
    const { from, to } = this.#at;
    const there = Math.round(
      end === "from"
        ? Math.min(Math.max(0, ms), to - shortest)
        : Math.max(Math.min(this.#length, ms), from + shortest),
    );
    this.#at = { ...this.#at, [end]: Math.max(0, Math.min(this.#length, there)) };
    if (tell) this.#write(end);
    this.#go(this.#at[end]);
    this.#draw();
  }

  #field(end: End): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>(`.trim-form [name=${end}]`);
  }

  #write(end: End): void {
    const field = this.#field(end);
    if (field) field.value = exact(this.#at[end]);
    field?.removeAttribute("aria-invalid");
  }

  #typed(field: HTMLInputElement): void {
    const end = field.name === "from" ? "from" : field.name === "to" ? "to" : null;
    if (!end || !this.#video) return;
    const ms = parse(field.value);
    field.removeAttribute("aria-invalid");
    if (ms === null) field.setAttribute("aria-invalid", "true");
    else this.#move(end, ms, false);
  }

  #go(ms: number): void {
    // The last moment of a file shows nothing.
    if (this.#video) seekTo(this.#video, Math.max(0, Math.min(ms, this.#length - 1)));
  }

  #toggle(): void {
    const video = this.#video;
    if (!video) return;
    if (!video.paused) return video.pause();
    const now = positionMs(video);
    if (now < this.#at.from - 50 || now >= this.#at.to - 100) this.#go(this.#at.from);
    void video.play();
  }

  #playing(): void {
    const plays = this.#video !== null && !this.#video.paused && !this.#video.ended;
    this.#play.replaceChildren(
      plays ? icon("pause") : icon("play"),
      make("span", {}, plays ? "Pause" : "Play"),
    );
    cancelAnimationFrame(this.#frame);
    if (plays) this.#frame = requestAnimationFrame(() => this.#watch());
    this.#draw();
  }

  /** While it plays: not past the end. */
  #watch(): void {
    const video = this.#video;
    if (!video || video.paused) return;
    if (positionMs(video) >= this.#at.to) {
      video.pause();
      this.#go(this.#at.to);
    }
    this.#draw();
    this.#frame = requestAnimationFrame(() => this.#watch());
  }

  #draw(): void {
    if (!this.#handles || !this.#video) return;
    const share = (ms: number) => `${Math.max(0, Math.min(100, (ms / this.#length) * 100))}%`;
    const { from, to } = this.#at;
    for (const end of ["from", "to"] as const) {
      const handle = this.#handles[end];
      handle.style.left = share(this.#at[end]);
      handle.setAttribute("aria-valuenow", String(this.#at[end]));
      handle.setAttribute("aria-valuetext", exact(this.#at[end]));
    }
    this.#kept.style.left = share(from);
    this.#kept.style.right = `${100 - parseFloat(share(to))}%`;
    this.#now.style.left = share(positionMs(this.#video));
    this.#says.textContent = `at ${exact(positionMs(this.#video), 1)} · ${exact(to - from, 1)} long`;
  }

  #submit(event: SubmitEvent): void {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || event.defaultPrevented) return;
    event.preventDefault();
    void this.#send(form);
  }

  async #send(form: HTMLFormElement): Promise<void> {
    if (form.getAttribute("aria-busy") === "true") return;
    const back = form.classList.contains("trim-whole");
    const data = new FormData(form);
    // What is asked again is asked for both.
    const again = this.querySelector<HTMLInputElement>(".trim-form [name=change]");
    const changed =
      this.querySelector<HTMLInputElement>(".trim-form [name=what_changed]")?.value.trim() ?? "";
    const body: Record<string, string | number> = {};
    if (!back) {
      for (const end of ["from", "to"] as const) {
        const time = data.get(end);
        const ms = typeof time === "string" ? parse(time) : null;
        if (ms === null) {
          this.#field(end)?.focus();
          return showError(
            `${end === "from" ? "Start" : "End"} is not a time. Right would be 1:02.5.`,
          );
        }
        body[`${end}_ms`] = ms;
      }
    }
    if (again?.checked)
      Object.assign(body, {
        change: "material",
        ...(changed === "" ? {} : { what_changed: changed }),
      });
    form.setAttribute("aria-busy", "true");
    try {
      await requestJson(
        back ? "DELETE" : "PUT",
        `/media/${this.dataset["media"] ?? ""}/trim`,
        body,
      );
      document.getElementById("complaint")?.remove();
      // What was typed is said; the page brings the new length.
      for (const field of this.querySelectorAll<HTMLInputElement>(".trim-form input"))
        if (field.type !== "hidden") field.value = field.defaultValue;
      const details = this.querySelector("details");
      if (details) details.open = false;
      this.#close();
      announce(back ? "The whole recording plays again soon." : "Saved. It is being trimmed.");
      await refresh();
      details?.querySelector("summary")?.focus();
    } catch (error) {
      showError(
        error instanceof Problem ? error.message : "It was not saved. Try again in a moment.",
      );
    } finally {
      form.removeAttribute("aria-busy");
    }
  }
}

/** `1:02.5`, to the millisecond or so many digits. */
function exact(ms: number, digits = 3): string {
  const all = Math.max(0, digits === 3 ? Math.round(ms) : Math.floor(ms / 100) * 100);
  const [minutes, seconds] = [Math.floor(all / 60_000), Math.floor(all / 1000) % 60];
  const fraction = String(all % 1000)
    .padStart(3, "0")
    .slice(0, digits)
    .replace(/(?<=.)0+$/, "");
  const clock =
    minutes >= 60
      ? `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`
      : String(minutes);
  return `${clock}:${String(seconds).padStart(2, "0")}.${fraction}`;
}

/** Milliseconds of `1:02.5`, `62.5` or `1:00:02`; null of what is no time. */
function parse(text: string): number | null {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6})(?:[.,](\d{1,3})\d*)?$/.exec(text.trim());
  if (!match) return null;
  const [, hours = "0", minutes = "0", seconds = "0", fraction = ""] = match;
  return (
    (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 +
    Number(fraction.padEnd(3, "0"))
  );
}

customElements.define("trim-editor", TrimEditor);

declare global {
  interface HTMLElementTagNameMap {
    "trim-editor": TrimEditor;
  }
}
