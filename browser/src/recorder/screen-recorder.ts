// Records a screen, a camera or both from the New page. What it does stands here; what it shows is recorder/view.ts.
import { visit } from "@hotwired/turbo";
import { BubbleHandle } from "./camera-bubble.js";
import { ability, type Device, Refusal, release, screen, Unanswered } from "./capture.js";
import { countdown } from "./countdown.js";
import type { Safety } from "../upload/recording-uploader.js";
import { announce, formatTime, isTextEntry } from "../lib/dom.js";
import { draft, recorder, type Recorder, uploads } from "../compose/draft.js";
import { confirmDialog } from "../lib/dialogs.js";
import { refresh } from "../lib/refresh.js";
import { Attempt, dispose } from "./attempt.js";
import { type Choice, keepChoice, lastChoice } from "./preferences.js";
import { Devices } from "./devices.js";
import { left } from "./limits.js";
import { missingWords, RecorderPicture } from "./picture.js";
import { RecorderView, type State } from "./view.js";
import { driftsInSleep, type Recording } from "./recording.js";
import { sign } from "./tab-indicator.js";
import { showLength } from "./recording-length.js";
import { startRecording } from "./recording-start.js";
import { screenshot } from "./screenshot.js";
import { Sound } from "./audio-mixer.js";
import { SoundProbe } from "./audio-probe.js";

/** Milliseconds without a sound before it is said: while choosing, one is asked to speak; while recording, one may be showing something. */
const quiet = { choosing: 3000, recording: 10_000 };

const unshared = "The screen is no longer shared";

export class ScreenRecorder extends HTMLElement implements Recorder {
  #view = new RecorderView(this);
  #state: State = "idle";
  #choice = lastChoice();
  #handle!: BubbleHandle;
  #sound: Sound | null = null;
  #devices = new Devices(this.#view, {
    changed: (kind) => this.#changedDevice(kind),
    refused: (error, again) => this.#say(error, again),
    lost: (kind) => this.#lost(kind),
  });
  #screen: MediaStream | null = null;
  #picture: RecorderPicture | null = null;
  /** What is recorded as the sound. */
  #mix: MediaStreamTrack | null = null;
  #recording: Recording | null = null;
  /** There is sound to record, but none of it comes: it is left out. */
  #hasLostSound = false;
  /** From Record until it runs. */
  #attempt: Attempt | null = null;
  #finishing: Promise<boolean> | null = null;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #listeners = new AbortController();

  connectedCallback(): void {
    recorder.register(this);
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const view = this.#view;
    this.#handle = new BubbleHandle(view.part("bubble"), this.#choice.bubble, (bubble) => {
      this.#keep({ bubble });
      if (this.#picture) this.#picture.bubble = bubble;
    });
    view.source = this.#choice.source;
    view.part<HTMLInputElement>("sound").checked = this.#choice.sound;
    view.offer(ability());
    this.#become("idle");
    this.addEventListener(
      "click",
      (event) => {
        const button =
          event.target instanceof Element ? event.target.closest<HTMLElement>("[data-do]") : null;
        if (button) this.#do(button.dataset["do"] ?? "");
      },
      { signal },
    );
    this.addEventListener("change", (event) => this.#changed(event.target), { signal });
    view
      .part<HTMLVideoElement>("preview")
      .addEventListener("resize", () => this.#shape(), { signal });
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    addEventListener(
      "beforeunload",
      (event) => {
        if (this.busy) event.preventDefault();
      },
      { signal },
    );
    addEventListener(
      "pagehide",
      () => {
        if (this.#attempt) draft.current?.abandon();
      },
      { signal },
    );
    document.addEventListener("turbo:before-visit", (event) => this.#leave(event), { signal });
    navigator.mediaDevices?.addEventListener(
      "devicechange",
      () => {
        if (this.#state !== "idle") void this.#devices.list();
      },
      { signal },
    );
  }

  disconnectedCallback(): void {
    recorder.unregister(this);
    this.#listeners.abort();
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.cancel();
    // Gone back in the history, which nothing can hold up: it ends here, and the courier still brings it in. What the server does not
    // take, the next page offers.
    this.#recording?.bringIn().catch(() => undefined);
    this.#recording = null;
    this.#letGo();
    sign(null);
  }

  /** Whether something is being recorded, or what was recorded is not all on the server. */
  get busy(): boolean {
    return !["idle", "set", "asking"].includes(this.#state);
  }

  /** Whether it records, and nobody said yet that its end sends it. */
  get asks(): boolean {
    return this.#running && !this.#view.part<HTMLInputElement>("send").checked;
  }

  /** Ends the recording, if there is one; true when the server has all of it. What has not begun is called off, and that is no recording. */
  finish(): Promise<boolean> {
    if (this.#attempt) {
      this.#attempt.cancel(new Refusal("It was called off before it began. Nothing is recorded."));
      return Promise.resolve(false);
    }
    if (!this.#recording) {
      if (this.#state === "set") this.#close();
      return Promise.resolve(true);
    }
    return (this.#finishing ??= this.#finish(this.#recording).finally(
      () => (this.#finishing = null),
    ));
  }

  #do(name: string): void {
    const acts: Record<string, () => void> = {
      open: () => void this.#open(),
      close: () => (this.#state === "asking" ? this.#attempt?.cancel() : this.#close()),
      record: () => void this.#record(),
      cancel: () => this.#attempt?.cancel(),
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      restart: () => void this.#restart(),
      stop: () => void this.#stop(),
      screenshot: () => void this.#screenshot(),
      film: () => this.#view.part<HTMLInputElement>("film").click(),
      upload: () =>
        document.querySelector<HTMLInputElement>("upload-queue input[type=file]")?.click(),
      again: () => this.#view.again(),
      dismiss: () => this.#view.problem(""),
    };
    acts[name]?.();
  }

  /** Alt Shift S and P, by where they are on the keyboard: with Alt, some systems type other letters. */
  #key(event: KeyboardEvent): void {
    if (event.key === "Escape" && (this.#state === "counting" || this.#state === "asking"))
      this.#attempt?.cancel();
    if (!event.altKey || !event.shiftKey || event.ctrlKey || event.metaKey) return;
    if (event.code === "KeyS" && this.#running) void this.#stop();
    else if (event.code === "KeyP" && this.#state === "recording") this.#pause();
    else if (event.code === "KeyP" && this.#state === "paused") this.#resume();
    else return;
    event.preventDefault();
  }

  get #running(): boolean {
    return this.#state === "recording" || this.#state === "paused";
  }

  #become(state: State): void {
    this.#state = state;
    const focused = this.contains(document.activeElement);
    this.#view.show(state, this.#view.source !== "screen");
    // What had the focus is hidden: what takes its place gets it.
    const next: Partial<Record<State, string>> = {
      idle: "open",
      set: "record",
      counting: "cancel",
      recording: "stop",
      paused: "resume",
    };
    const name = next[state];
    if (
      focused &&
      name &&
      (document.activeElement === document.body || document.activeElement?.closest("[hidden]"))
    )
      this.#view.button(name).focus({ preventScroll: true });
    clearInterval(this.#pulse);
    if (state !== "idle") this.#pulse = setInterval(() => this.#beat(), 100);
    if (state === "idle" || state === "set") sign(null);
  }

  #keep(changed: Partial<Choice>): void {
    this.#choice = { ...this.#choice, ...changed };
    keepChoice(this.#choice);
  }

  async #open(): Promise<void> {
    this.#view.problem("");
    this.#sound ??= new Sound();
    this.#view.picture(null);
    this.#view.face(null, false);
    this.#become("set");
    void this.#take("microphone");
    if (this.#view.source !== "screen") void this.#take("camera");
    await this.#devices.settled;
    // So that the browser does not make room by emptying the spool; refused, it is kept as long as there is room. Firefox asks the person:
    // now, since later its question would be in the recording.
    await navigator.storage?.persist?.().catch(() => false);
  }

  #close(): void {
    this.#letGo();
    this.#become("idle");
  }

  #letGo(): void {
    this.#picture?.close();
    this.#sound?.close();
    release(this.#screen);
    this.#mix?.stop();
    this.#picture = this.#sound = this.#screen = this.#mix = null;
    this.#view.missing("");
    for (const kind of ["microphone", "camera"] as const) this.#devices.drop(kind);
    this.#view.picture(null);
    this.#view.face(null, false);
    clearInterval(this.#pulse);
  }

  #changed(target: EventTarget | null): void {
    const view = this.#view;
    if (target instanceof HTMLInputElement && target.name === "source") {
      this.#keep({ source: view.source });
      this.#become(this.#state);
      if (view.source === "screen") this.#devices.drop("camera");
      else void this.#take("camera");
      this.#look();
    } else if (target === view.part("sound"))
      this.#keep({ sound: view.part<HTMLInputElement>("sound").checked });
    else if (target === view.part("film"))
      uploads.current?.add(view.part<HTMLInputElement>("film").files ?? []);
    for (const kind of ["microphone", "camera"] as const) {
      if (target !== view.part(kind)) continue;
      this.#keep({ [kind]: view.part<HTMLSelectElement>(kind).value });
      void this.#take(kind);
    }
  }

  /** Asks for the chosen microphone or camera. */
  #take(kind: Device): Promise<void> {
    return this.#devices.take(kind, this.#choice[kind]);
  }

  #changedDevice(kind: Device): void {
    if (kind === "microphone") this.#sound?.microphone(this.#devices.of(kind));
    else this.#look();
  }

  /** Shows the camera: alone on the stage, or in its bubble. */
  #look(): void {
    const track = this.#devices.track("camera");
    const alone = this.#view.source === "camera";
    if (this.#state === "set") this.#view.picture(alone ? track : null);
    this.#view.face(alone || this.#view.source === "screen" ? null : track, this.#picture !== null);
  }

  /** The bubble keeps to the picture, whatever its shape. */
  #shape(): void {
    const video = this.#view.part<HTMLVideoElement>("preview");
    if (video.videoHeight > 0) this.#handle.aspect = video.videoWidth / video.videoHeight;
    this.#view
      .part("stage")
      .style.setProperty(
        "--shape",
        video.videoHeight > 0 ? String(video.videoWidth / video.videoHeight) : null,
      );
  }

  /** A microphone or camera was unplugged. What can go on without it goes on. */
  #lost(kind: Device): void {
    const running = this.#recording !== null;
    if (kind === "camera" && running) {
      if (this.#view.source === "camera") return this.#over("The camera was unplugged");
      return this.#view.problem("The camera was unplugged. The screen is recorded on without it.");
    }
    // What is to be recorded has ended; the next one is not part of it.
    const attempt = kind === "camera" && this.#view.source !== "screen" ? this.#attempt : null;
    attempt?.cancel();
    void this.#devices.take(kind, "").then(() => {
      const name = this.#devices.track(kind)?.label;
      const next = name
        ? `“${name}” is used now.`
        : running
          ? "The rest is recorded without it."
          : "Plug one in, or record without it.";
      this.#view.problem(
        attempt
          ? `The camera was unplugged before it recorded. ${next} Press Record again.`
          : `The ${kind} was unplugged. ${next}`,
      );
    });
  }

  async #record(): Promise<void> {
    const view = this.#view;
    view.problem("");
    this.#become("asking");
    await this.#try(async (attempt) => {
      if (view.source !== "camera") {
        const shared = await attempt.had(
          screen(view.part<HTMLInputElement>("sound").checked),
          release,
        );
        this.#screen = shared;
        shared.getVideoTracks()[0]?.addEventListener("ended", () => {
          if (this.#screen === shared) this.#over(unshared);
        });
        this.#sound?.shared(shared);
      }
      await attempt.had(this.#devices.settled);
      const picture = await this.#capture(attempt);
      view.picture(picture.track);
      this.#look();
      this.#mix = await attempt.had(this.#sound?.track() ?? Promise.resolve(null));
      await this.#roll(attempt, picture);
    });
  }

  /** Tries to record. What fails is said, unless something else goes on here meanwhile. */
  async #try(act: (attempt: Attempt) => Promise<void>): Promise<void> {
    const attempt = new Attempt();
    this.#attempt = attempt;
    try {
      await act(attempt);
    } catch (error) {
      attempt.cancel(error);
      if (this.#attempt !== attempt) return;
      this.#attempt = null;
      this.#backToSet();
      const again =
        error instanceof Unanswered
          ? () => void this.#record()
          : error === this.#devices.refusal("camera")
            ? () => void this.#take("camera")
            : null;
      this.#say(error, again);
    }
  }

  async #capture(attempt: Attempt): Promise<RecorderPicture> {
    const screen = this.#screen?.getVideoTracks()[0] ?? null;
    // Without its camera, the screen alone: why there is none, was said.
    const camera = this.#view.source === "screen" ? null : this.#devices.track("camera");
    if (!screen && !camera)
      throw (
        this.#devices.refusal("camera") ??
        new Refusal("There is no camera to record. Plug one in, or record your screen.")
      );
    const picture = await attempt.had(
      RecorderPicture.begin(
        this.dataset["compositor"] ?? "",
        { screen, camera },
        this.#handle.place,
      ),
      (made) => made.close(),
    );
    picture.addEventListener("failed", () => {
      if (this.#picture === picture)
        this.#over(
          camera && screen
            ? "The camera could not be put on the screen any more"
            : "The picture stopped",
        );
    });
    picture.addEventListener("arrived", () => {
      if (this.#picture === picture && this.#recording) this.#joined();
    });
    this.#picture = picture;
    return picture;
  }

  /** 3-2-1, and it runs. Meanwhile draft and upload are made: they are there before the first second is. */
  async #roll(
    attempt: Attempt,
    picture: RecorderPicture,
    before: Promise<void> = Promise.resolve(),
  ): Promise<void> {
    this.#view.missing("");
    this.#become("counting");
    this.#view.part("stage").scrollIntoView({ block: "nearest" });
    const made = attempt.prepare(before, (error) => this.#say(error));
    const sound = this.#mix && { track: this.#mix, probe: new SoundProbe(this.#mix) };
    attempt.signal.addEventListener("abort", () => sound?.probe.close(), { once: true });
    await attempt.had(
      countdown((number) => {
        this.#view.count(String(number));
        sign(`${number} …`);
        announce(String(number));
      }, attempt.signal),
    );
    this.#view.count("…");
    const courier = await made;
    // Where nobody said that it ended, it would be recorded as black and silence.
    for (const track of [picture.track, this.#mix, ...(this.#screen?.getVideoTracks() ?? [])])
      if (track && track.readyState !== "live")
        throw new Refusal("What was to be recorded ended before it began. Press Record again.");
    // It may be this page that is recorded, and nobody wants to see the countdown again.
    if (this.#screen && document.visibilityState === "visible")
      await attempt.had(this.#view.uncounted());
    const preview = this.#view.part<HTMLVideoElement>("preview");
    const composed = (): void => {
      if (!attempt.signal.aborted) this.#view.picture(picture.track);
    };
    const { recording, hasSound } = await attempt.had(
      startRecording({ picture, sound, courier, preview, composed, signal: attempt.signal }),
      (begun) => void begun.recording.stop(),
    );
    sound?.probe.close();
    attempt.runs();
    this.#attempt = null;
    this.#hasLostSound = sound !== null && !hasSound;
    this.#run(recording);
  }

  #run(recording: Recording): void {
    const { courier } = recording;
    this.#recording = recording;
    courier.addEventListener("progress", (event) => this.#safety(event.detail));
    courier.addEventListener("slept", () => {
      if (driftsInSleep) this.#over("This computer slept");
    });
    recording.addEventListener("piece", () => this.#beat());
    recording.addEventListener("failed", () =>
      this.#over(
        this.#screen?.getVideoTracks()[0]?.readyState === "ended"
          ? unshared
          : "The browser stopped by itself",
      ),
    );
    this.#sound?.listen();
    this.#view.safety("");
    this.#become("recording");
    this.#view.missing(this.#missing);
    announce(`Recording. ${this.#missing}`.trim());
  }

  /** What was chosen and is not in the recording so far, in words. */
  get #missing(): string {
    return missingWords(this.#picture?.missing ?? [], {
      alone: this.#view.source !== "both",
      lostSound: this.#hasLostSound,
    });
  }

  #joined(): void {
    this.#view.missing(this.#missing);
    announce(this.#missing || "Everything you chose is being recorded now.");
  }

  /** How far it is. What the server takes no more of, ends. */
  #safety({ state, message: words }: Safety): void {
    this.#view.safety(words);
    if (state === "refused" && this.#running) void this.#stop();
  }

  #backToSet(): void {
    this.#picture?.close();
    release(this.#screen);
    this.#sound?.shared(null);
    this.#picture = this.#screen = this.#mix = null;
    this.#become("set");
    this.#view.picture(null);
    this.#look();
  }

  /** What changes all the time: the time, the loudness, how long is left. */
  #beat(): void {
    const choosing = this.#state === "set" || this.#state === "asking";
    const level = this.#sound?.level();
    const silent = level ? level.silent > (choosing ? quiet.choosing : quiet.recording) : false;
    if (this.#sound)
      this.#view.level(
        level?.loud ?? 0,
        !level
          ? "Nothing of what you say is recorded."
          : level.deaf
            ? "Your microphone is recorded. This browser does not show here how loud it is."
            : silent
              ? "We hear nothing. Speak, or choose another microphone."
              : level.heard
                ? "We hear you."
                : "Say something.",
      );
    const recording = this.#recording;
    if (!recording) return;
    this.#view.time(recording.ms);
    if (!this.#running) return;
    sign(`${this.#state === "paused" ? "Paused" : "●"} ${formatTime(recording.ms)}`);
    const { limit, size, sizeWords = "" } = this.dataset;
    const { ms, of, end } = left(recording, {
      seconds: Number(limit),
      bytes: Number(size),
      size: sizeWords,
    });
    const soon = ms <= Math.min(5 * 60_000, of / 4);
    const words = soon
      ? `It stops by itself in ${formatTime(ms)}.`
      : silent && this.#state === "recording"
        ? "We hear nothing of your microphone."
        : "";
    if (words !== "" && this.#view.part("warning").hidden) announce(words);
    this.#view.warning(words);
    if (ms <= 0) this.#over(end);
  }

  #pause(): void {
    this.#recording?.pause();
    this.#become("paused");
    announce("Paused.");
  }

  #resume(): void {
    this.#recording?.resume();
    this.#sound?.listen();
    this.#become("recording");
    announce("Recording.");
  }

  async #restart(): Promise<void> {
    const recording = this.#recording;
    const picture = this.#picture;
    if (!recording || !picture) return;
    const ran = this.#state === "recording";
    if (ran) this.#pause();
    const yes = await confirmDialog(
      `Throw away ${formatTime(recording.ms)} and begin again?`,
      "Begin again",
    );
    // It may have ended while one was asked.
    if (this.#recording !== recording || !this.#running) return;
    if (!yes) return ran && this.#state === "paused" ? this.#resume() : undefined;
    this.#recording = null;
    const gone = recording.stop().then(() => dispose(recording.courier));
    await this.#try((attempt) => this.#roll(attempt, picture, gone));
  }

  /** What is recorded ended without having been asked to: that is said, and what was recorded stays. */
  #over(why: string): void {
    if (this.#attempt)
      return this.#attempt.cancel(
        new Refusal(`${why}, so nothing is recorded. Press Record again.`),
      );
    if (!this.#running) return;
    this.#view.problem(`${why}, and the recording ended there. All of it is kept.`);
    void this.#stop();
  }

  async #stop(): Promise<void> {
    const send = this.#view.part<HTMLInputElement>("send").checked;
    if (!(await this.finish())) return;
    if (send) {
      const main = document.querySelector<HTMLButtonElement>("#update-form .button.main");
      return main?.form?.requestSubmit(main);
    }
    announce("Recorded.");
    await refresh();
    const title = document.querySelector<HTMLInputElement>("#title");
    // Not out of the hands of somebody who types.
    if (title && (document.activeElement === title || !isTextEntry(document.activeElement))) {
      title.focus();
      title.select();
    }
  }

  async #finish(recording: Recording): Promise<boolean> {
    this.#become("finishing");
    sign("Sending the last of it");
    const arrived = recording.bringIn();
    void recording.stop().then(() => this.#letGo());
    try {
      await arrived;
    } catch (error) {
      // The server takes no more of it. What it lacks is offered among those that are kept, and there is room for the next.
      this.#say(error);
      return false;
    } finally {
      this.#recording = null;
      this.#view.part<HTMLInputElement>("send").checked = false;
      this.#close();
    }
    showLength(recording.courier.media, recording.ms, this.#listeners.signal);
    return true;
  }

  async #screenshot(): Promise<void> {
    this.#view.problem("");
    try {
      void uploads.current?.open(await screenshot());
    } catch (error) {
      const words =
        error instanceof Refusal
          ? new Refusal(error.message.replace("nothing is recorded", "there is no picture"))
          : error;
      this.#say(words, error instanceof Unanswered ? () => void this.#screenshot() : null);
    }
  }

  #leave(event: CustomEvent<{ url: string }>): void {
    // What has not begun is no reason to stay.
    if (!this.busy || this.#state === "counting") return;
    event.preventDefault();
    const words =
      this.#state === "finishing"
        ? "The last of the recording is not on the server yet. Leave when it is?"
        : "You are recording. Stop it and leave? What was recorded is kept as a draft.";
    void confirmDialog(words, this.#running ? "Stop and leave" : "Leave then").then(async (yes) => {
      if (yes && (await this.finish())) visit(event.detail.url);
    });
  }

  #say(error: unknown, again: (() => void) | null = null): void {
    this.#view.problem(error instanceof Error ? error.message : String(error), again);
  }
}

customElements.define("screen-recorder", ScreenRecorder);

declare global {
  interface HTMLElementTagNameMap {
    "screen-recorder": ScreenRecorder;
  }
}
