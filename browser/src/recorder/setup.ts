// The choices made before a recording: the source, the devices, the sound and the position of the camera bubble. They
// are remembered for the next recording.
import { uploads } from "../compose/draft.js";
import { type Bubble, BubbleHandle } from "./camera-bubble.js";
import type { DeviceKind, RecordingSource } from "./capture.js";
import { loadChoice, type RecorderChoice, saveChoice } from "./preferences.js";
import type { RecorderSources } from "./sources.js";
import type { RecorderView } from "./view.js";

export class RecorderSetup {
  #choice = loadChoice();
  #bubble: BubbleHandle;

  /** `sourceChanged` is called when the person chooses another source, before its devices are requested. */
  constructor(
    private readonly view: RecorderView,
    private readonly sources: RecorderSources,
    private readonly sourceChanged: () => void,
  ) {
    this.#bubble = new BubbleHandle(view.part("bubble"), this.#choice.bubble, (bubble) => {
      this.#update({ bubble });
      if (sources.picture) sources.picture.bubble = bubble;
    });
    view.source = this.#choice.source;
    view.part<HTMLInputElement>("sound").checked = this.#choice.sound;
  }

  get source(): RecordingSource {
    return this.view.source;
  }

  /** Whether audio from the shared screen is recorded. */
  get sharesSound(): boolean {
    return this.view.part<HTMLInputElement>("sound").checked;
  }

  get bubble(): Bubble {
    return this.#bubble.place;
  }

  /** Requests the devices that the chosen source needs, and waits until the person has granted or denied access. */
  async requestDevices(): Promise<void> {
    void this.requestDevice("microphone");
    if (this.source !== "screen") void this.requestDevice("camera");
    await this.sources.devices.settled;
  }

  requestDevice(kind: DeviceKind): Promise<void> {
    return this.sources.devices.request(kind, this.#choice[kind]);
  }

  /** Handles a change to one of the inputs. */
  handleChange(target: EventTarget | null): void {
    const { view } = this;
    if (target instanceof HTMLInputElement && target.name === "source") this.#changeSource();
    else if (target === view.part("sound")) this.#update({ sound: this.sharesSound });
    else if (target === view.part("film"))
      uploads.current?.add(view.part<HTMLInputElement>("film").files ?? []);
    for (const kind of ["microphone", "camera"] as const) {
      if (target !== view.part(kind)) continue;
      this.#update({ [kind]: view.part<HTMLSelectElement>(kind).value });
      void this.requestDevice(kind);
    }
  }

  /**
   * Shows the camera in its bubble if a screen is recorded too. With `onStage`, also updates the stage, which shows the
   * camera only if the camera is the only source.
   */
  showCamera(onStage: boolean): void {
    const track = this.sources.devices.track("camera");
    if (onStage) this.view.showPreview(this.source === "camera" ? track : null);
    this.view.showCamera(this.source === "both" ? track : null, this.sources.picture !== null);
  }

  /** Fits the stage and the bubble to the aspect ratio of the picture. */
  fitPreview(): void {
    const { videoWidth, videoHeight } = this.view.part<HTMLVideoElement>("preview");
    const aspect = videoHeight > 0 ? videoWidth / videoHeight : null;
    if (aspect !== null) this.#bubble.aspect = aspect;
    const { style } = this.view.part("stage");
    style.setProperty("--shape", aspect === null ? null : String(aspect));
  }

  #changeSource(): void {
    this.#update({ source: this.source });
    this.sourceChanged();
    if (this.source === "screen") this.sources.devices.release("camera");
    else void this.requestDevice("camera");
  }

  #update(changed: Partial<RecorderChoice>): void {
    this.#choice = { ...this.#choice, ...changed };
    saveChoice(this.#choice);
  }
}
