// <screen-recorder>: records a screen, a camera or both on the New page. view.ts shows its states; sources.ts holds the
// captured sources.
import { recorder, type Recorder, uploads } from "../compose/draft.js";
import { announce } from "../lib/dom.js";
import type { SendProgress } from "../upload/send-progress.js";
import { confirmRestart, sendUpdate, showRecorded } from "./send-or-show-recording.js";
import { Attempt, discardRecording } from "./attempt.js";
import { detectCapability } from "./capability.js";
import { CaptureError, type DeviceKind, TimeoutError } from "./capture.js";
import { launchRecording } from "./launch.js";
import { lostDeviceMessage } from "./devices.js";
import { guardLeaving } from "./leave-guard.js";
import { LiveStatus } from "./live-status.js";
import { missingMessage, type RecorderPicture } from "./picture.js";
import { driftsAfterSleep, type Recording } from "./recording.js";
import { showLength } from "./recording-length.js";
import { screenshot, screenshotError } from "./screenshot.js";
import { RecorderSetup } from "./setup.js";
import { shortcutOf } from "./shortcuts.js";
import { RecorderSources } from "./sources.js";
import { showInTab } from "./tab-indicator.js";
import { type RecorderState, RecorderView } from "./view.js";

export class ScreenRecorder extends HTMLElement implements Recorder {
  #view = new RecorderView(this);
  #state: RecorderState = "idle";
  #sources = new RecorderSources(this.#view, {
    cameraChanged: () => this.#showCamera(),
    deviceFailed: (error, retry) => this.#showError(error, retry),
    deviceLost: (kind) => this.#handleLostDevice(kind),
    ended: (reason) => this.#endEarly(reason),
    arrived: () => this.#handleArrivedSource(),
  });
  #setup!: RecorderSetup;
  #status = new LiveStatus(this.#view, this.#sources, this.dataset, {
    read: () => ({ state: this.#state, recording: this.#recording }),
    limitReached: (reason) => this.#endEarly(reason),
  });
  /** Set while a recording is being started. */
  #attempt: Attempt | null = null;
  #recording: Recording | null = null;
  /**
   * Whether a microphone or shared sound is connected but the recording has no sound, because no
   * audio arrived.
   */
  #hasLostSound = false;
  #finishing: Promise<boolean> | null = null;
  #listeners = new AbortController();

  connectedCallback(): void {
    recorder.register(this);
    this.#setup = new RecorderSetup(this.#view, this.#sources, () => this.#become(this.#state));
    this.#view.showCapability(detectCapability());
    this.#become("idle");
    this.#listeners = new AbortController();
    this.#listen(this.#listeners.signal);
    this.#openIfLinked();
    addEventListener("hashchange", () => this.#openIfLinked(), { signal: this.#listeners.signal });
  }

  disconnectedCallback(): void {
    recorder.unregister(this);
    this.#listeners.abort();
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.cancel();
    // End the recording, because a script cannot prevent the person from navigating back. The
    // uploader sends the rest in the background, and the next page offers to send any part that the
    // server does not receive.
    this.#recording?.finishUpload().catch(() => undefined);
    this.#recording = null;
    this.#closeSources();
    showInTab(null);
  }

  #listen(signal: AbortSignal): void {
    this.addEventListener("click", (event) => this.#handleClick(event), { signal });
    this.addEventListener("change", (event) => this.#setup.handleChange(event.target), { signal });
    const preview = this.#view.part<HTMLVideoElement>("preview");
    preview.addEventListener("resize", () => this.#setup.fitPreview(), { signal });
    document.addEventListener("keydown", (event) => this.#handleKey(event), { signal });
    guardLeaving(this, signal);
    const updateDevices = (): void => {
      if (this.#state !== "idle") void this.#sources.devices.updateList();
    };
    navigator.mediaDevices?.addEventListener("devicechange", updateDevices, { signal });
  }

  get state(): RecorderState {
    return this.#state;
  }

  /** Whether the recorder is counting down, recording, paused, or still sending the end of a recording. */
  get busy(): boolean {
    return !["idle", "set", "asking"].includes(this.#state);
  }

  get asks(): boolean {
    return this.#isRunning && !this.#view.part<HTMLInputElement>("send").checked;
  }

  /**
   * Ends the recording, or cancels the attempt to start one. Resolves with true once the server has
   * everything, or immediately if there is nothing to end. Resolves with false if an attempt was
   * cancelled, or if the server refused the rest of the recording.
   */
  finish(): Promise<boolean> {
    if (this.#attempt) {
      this.#attempt.cancel(new CaptureError("The recording was canceled before it started."));
      return Promise.resolve(false);
    }
    if (!this.#recording) {
      if (this.#state === "set") this.#close();
      return Promise.resolve(true);
    }
    this.#finishing ??= this.#finish(this.#recording).finally(() => (this.#finishing = null));
    return this.#finishing;
  }

  #handleClick({ target }: Event): void {
    const button = target instanceof Element ? target.closest<HTMLElement>("[data-do]") : null;
    const name = button?.dataset["do"] ?? "";
    const actions: Record<string, () => void> = {
      open: () => void this.#open(),
      close: () => (this.#state === "asking" ? this.#attempt?.cancelByPerson() : this.#close()),
      record: () => void this.#record(),
      cancel: () => this.#attempt?.cancelByPerson(),
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      restart: () => void this.#restart(),
      stop: () => void this.#stop(),
      screenshot: () => void this.#screenshot(),
      film: () => this.#view.part<HTMLInputElement>("film").click(),
      upload: () =>
        document.querySelector<HTMLInputElement>("upload-queue input[type=file]")?.click(),
      again: () => this.#view.retry(),
      dismiss: () => this.#view.showProblem(""),
    };
    actions[name]?.();
  }

  #handleKey(event: KeyboardEvent): void {
    const shortcut = shortcutOf(event, this.#state);
    if (shortcut === "cancel") this.#attempt?.cancelByPerson();
    else if (shortcut === "stop") void this.#stop();
    else if (shortcut === "pause") this.#pause();
    else if (shortcut === "resume") this.#resume();
    if (shortcut && shortcut !== "cancel") event.preventDefault();
  }

  get #isRunning(): boolean {
    return this.#state === "recording" || this.#state === "paused";
  }

  #become(state: RecorderState): void {
    this.#state = state;
    const hadFocus = this.contains(document.activeElement);
    this.#view.show(state, this.#view.source !== "screen");
    if (hadFocus) this.#view.restoreFocus(state);
    if (state === "idle") this.#status.stop();
    else this.#status.start();
    if (state === "idle" || state === "set") showInTab(null);
  }

  /** Opens the recorder if the page was opened to record, for example from an empty inbox. */
  #openIfLinked(): void {
    const button = this.#view.button("open");
    if (location.hash !== "#record" || button.hidden || button.disabled) return;
    history.replaceState(history.state, "", location.pathname);
    void this.#open();
  }

  async #open(): Promise<void> {
    this.#view.showProblem("");
    this.#sources.open();
    this.#view.showPreview(null);
    this.#view.showCamera(null, false);
    this.#become("set");
    await this.#setup.requestDevices();
    // Ask the browser not to delete the spool when storage runs low. Ask before the recording
    // begins, because Firefox shows a prompt that would otherwise be recorded.
    await navigator.storage?.persist?.().catch(() => false);
  }

  #close(): void {
    this.#closeSources();
    this.#become("idle");
  }

  #closeSources(): void {
    this.#sources.close();
    this.#view.showMissing("");
    this.#view.showPreview(null);
    this.#view.showCamera(null, false);
    this.#status.stop();
  }

  #showCamera(): void {
    this.#setup.showCamera(this.#state === "set");
  }

  /**
   * Handles a microphone or camera that was unplugged. The recording continues with the remaining
   * sources, unless no picture is left.
   */
  #handleLostDevice(kind: DeviceKind): void {
    const isRecording = this.#recording !== null;
    const { source } = this.#view;
    if (kind === "camera" && isRecording) {
      if (source === "camera") return this.#endEarly("The camera was unplugged");
      return this.#view.showProblem(
        "The camera was unplugged. The screen is still being recorded.",
      );
    }
    // Cancel an attempt that uses this camera, because it cannot continue with another camera.
    const attempt = kind === "camera" && source !== "screen" ? this.#attempt : null;
    attempt?.cancel();
    const { devices } = this.#sources;
    void devices.request(kind, "").then(() =>
      this.#view.showProblem(
        lostDeviceMessage(kind, {
          replacement: devices.track(kind)?.label,
          isRecording,
          cancelled: attempt !== null,
        }),
      ),
    );
  }

  async #record(): Promise<void> {
    const [view, sources, setup] = [this.#view, this.#sources, this.#setup];
    view.showProblem("");
    this.#become("asking");
    await this.#try(async (attempt) => {
      if (setup.source !== "camera") await sources.shareScreen(attempt, setup.sharesSound);
      await attempt.acquire(sources.devices.settled);
      const picture = await sources.makePicture(attempt, {
        withCamera: setup.source !== "screen",
        worker: this.dataset["compositor"] ?? "",
        bubble: setup.bubble,
      });
      view.showPreview(picture.track);
      this.#showCamera();
      await sources.mixSound(attempt);
      await this.#launch(attempt, picture, Promise.resolve());
    });
  }

  /** Runs an attempt to record. If the attempt fails and no other attempt has replaced it, shows the reason. */
  async #try(run: (attempt: Attempt) => Promise<void>): Promise<void> {
    const attempt = new Attempt();
    this.#attempt = attempt;
    try {
      await run(attempt);
    } catch (error) {
      attempt.cancel(error);
      if (this.#attempt !== attempt) return;
      this.#attempt = null;
      this.#becomeSet();
      this.#showError(error, this.#retryAfter(error));
    }
  }

  #retryAfter(error: unknown): (() => void) | null {
    if (error instanceof TimeoutError) return () => void this.#record();
    if (error === this.#sources.devices.errorOf("camera"))
      return () => void this.#setup.requestDevice("camera");
    return null;
  }

  async #launch(attempt: Attempt, picture: RecorderPicture, before: Promise<void>): Promise<void> {
    const view = this.#view;
    view.showMissing("");
    this.#become("counting");
    view.part("stage").scrollIntoView({ block: "nearest" });
    const { recording, hasLostSound } = await launchRecording({
      attempt,
      sources: this.#sources,
      picture,
      view,
      before,
      showError: (error) => this.#showError(error),
    });
    this.#attempt = null;
    this.#hasLostSound = hasLostSound;
    this.#handleStart(recording);
  }

  #handleStart(recording: Recording): void {
    this.#recording = recording;
    const { uploader } = recording;
    uploader.addEventListener("progress", (event) => this.#showProgress(event.detail));
    uploader.addEventListener("slept", () => {
      if (driftsAfterSleep) this.#endEarly("This computer went to sleep");
    });
    recording.addEventListener("piece", () => this.#status.update());
    recording.addEventListener("failed", () => this.#endEarly(this.#sources.failureReason));
    this.#sources.mixer?.resetSilence();
    this.#view.showProgress("");
    this.#become("recording");
    this.#view.showMissing(this.#missingMessage);
    announce(`Recording. ${this.#missingMessage}`.trim());
  }

  /**
   * A message that names the chosen sources missing from the recording; empty if none is missing.
   */
  get #missingMessage(): string {
    return missingMessage(this.#sources.picture?.missing ?? [], {
      alone: this.#view.source !== "both",
      lostSound: this.#hasLostSound,
    });
  }

  #handleArrivedSource(): void {
    if (!this.#recording) return;
    this.#view.showMissing(this.#missingMessage);
    announce(this.#missingMessage || "Everything you chose is being recorded now.");
  }

  #showProgress({ state, message }: SendProgress): void {
    this.#view.showProgress(message);
    if (state === "refused" && this.#isRunning) void this.#stop();
  }

  #becomeSet(): void {
    this.#sources.releaseRecording();
    this.#become("set");
    this.#view.showPreview(null);
    this.#showCamera();
  }

  #pause(): void {
    this.#recording?.pause();
    this.#become("paused");
    announce("Paused.");
  }

  #resume(): void {
    this.#recording?.resume();
    this.#sources.mixer?.resetSilence();
    this.#become("recording");
    announce("Recording.");
  }

  async #restart(): Promise<void> {
    const recording = this.#recording;
    const { picture } = this.#sources;
    if (!recording || !picture) return;
    const wasRecording = this.#state === "recording";
    if (wasRecording) this.#pause();
    const confirmed = await confirmRestart(recording.ms);
    // Do nothing if the recording ended while the dialog was open.
    if (this.#recording !== recording || !this.#isRunning) return;
    if (!confirmed) {
      if (wasRecording && this.#state === "paused") this.#resume();
      return;
    }
    this.#recording = null;
    const discarded = recording.stop().then(() => discardRecording(recording.uploader));
    await this.#try((attempt) => this.#launch(attempt, picture, discarded));
  }

  /**
   * Ends the recording, or cancels the attempt to start one, and shows why. The part recorded so
   * far is kept. `reason` is a clause without a period, such as "The video stopped".
   */
  #endEarly(reason: string): void {
    if (this.#attempt)
      return this.#attempt.cancel(
        new CaptureError(`${reason}, so nothing is recorded. Press Record again.`),
      );
    if (!this.#isRunning) return;
    this.#view.showProblem(
      `${reason}, so the recording has ended. Everything recorded so far is kept.`,
    );
    void this.#stop();
  }

  async #stop(): Promise<void> {
    const sends = this.#view.part<HTMLInputElement>("send").checked;
    if (!(await this.finish())) return;
    if (sends) sendUpdate();
    else await showRecorded();
  }

  async #finish(recording: Recording): Promise<boolean> {
    this.#become("finishing");
    showInTab("Sending the rest");
    const uploaded = recording.finishUpload();
    void recording.stop().then(() => this.#closeSources());
    try {
      await uploaded;
    } catch (error) {
      // The server refused the rest of the recording. The page lists it among the unfinished recordings, and a new
      // recording can begin.
      this.#showError(error);
      return false;
    } finally {
      this.#recording = null;
      this.#view.part<HTMLInputElement>("send").checked = false;
      this.#close();
    }
    showLength(recording.uploader.media, recording.ms, this.#listeners.signal);
    return true;
  }

  async #screenshot(): Promise<void> {
    this.#view.showProblem("");
    try {
      void uploads.current?.open(await screenshot());
    } catch (error) {
      const retry = error instanceof TimeoutError ? () => void this.#screenshot() : null;
      this.#showError(screenshotError(error), retry);
    }
  }

  #showError(error: unknown, retry: (() => void) | null = null): void {
    this.#view.showProblem(error instanceof Error ? error.message : String(error), retry);
  }
}

customElements.define("screen-recorder", ScreenRecorder);

declare global {
  interface HTMLElementTagNameMap {
    "screen-recorder": ScreenRecorder;
  }
}
