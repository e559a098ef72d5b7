// Mixes the microphone with the sound of a shared screen, and measures the microphone.

/** Decibels relative to full scale. Anything quieter counts as silence: nobody speaks, or nothing is plugged in. */
const silenceDecibels = -60;
/** Decibels that show as the loudest level. */
const loudDecibels = -10;
/** Milliseconds that a browser has to start mixing. */
const startTimeout = 1000;

export interface MicrophoneLevel {
  /** 0 to 1. */
  loudness: number;
  /** Milliseconds since the microphone was last heard. */
  silentMs: number;
  /** Whether it was heard since the last `resetSilence`. */
  wasHeard: boolean;
  /** The browser does not mix, so the level cannot be measured. */
  isUnknown: boolean;
}

export class AudioMixer {
  #context = new AudioContext();
  #output = this.#context.createMediaStreamDestination();
  #analyser = this.#context.createAnalyser();
  #samples = new Float32Array(2048);
  #microphone: MediaStreamAudioSourceNode | null = null;
  #shared: MediaStreamAudioSourceNode | null = null;
  #heardAt = performance.now();
  #hasHeard = false;

  constructor() {
    this.#analyser.fftSize = this.#samples.length;
  }

  /**
   * Resolves with the mixed track, which stays the same while sources are replaced; null without a source. Firefox does not mix if there is
   * no loudspeaker, and a recorder would wait for the mix forever: then it is the track of the microphone or, without one, of the shared
   * screen.
   */
  async track(): Promise<MediaStreamTrack | null> {
    const source = this.#microphone ?? this.#shared;
    if (!source) return null;
    if (!this.#isMixing)
      await Promise.race([
        this.#context.resume(),
        new Promise((resolve) => setTimeout(resolve, startTimeout)),
      ]);
    const stream = this.#isMixing ? this.#output.stream : source.mediaStream;
    return stream.getAudioTracks()[0] ?? null;
  }

  get #isMixing(): boolean {
    return this.#context.state === "running";
  }

  /** Replaces the microphone; null removes it. */
  setMicrophone(stream: MediaStream | null): void {
    this.#microphone?.disconnect();
    this.#microphone = this.#connect(stream);
    this.#microphone?.connect(this.#analyser);
    this.resetSilence();
  }

  /** Replaces the shared screen, which may have no sound; null removes it. */
  setSharedAudio(stream: MediaStream | null): void {
    this.#shared?.disconnect();
    this.#shared = this.#connect(stream);
  }

  #connect(stream: MediaStream | null): MediaStreamAudioSourceNode | null {
    if (!stream || stream.getAudioTracks().length === 0) return null;
    // Without a click before, browsers create the context suspended.
    void this.#context.resume();
    const node = this.#context.createMediaStreamSource(stream);
    node.connect(this.#output);
    return node;
  }

  /** Measures the silence of the microphone from now on. */
  resetSilence(): void {
    this.#hasHeard = false;
    this.#heardAt = performance.now();
  }

  /** Measures the microphone. Returns null without one. */
  level(): MicrophoneLevel | null {
    if (!this.#microphone) return null;
    const now = performance.now();
    if (!this.#isMixing)
      return {
        loudness: 0,
        silentMs: 0,
        wasHeard: false,
        isUnknown: now - this.#heardAt > startTimeout,
      };
    const decibels = this.#measure();
    if (decibels > silenceDecibels) {
      this.#heardAt = now;
      this.#hasHeard = true;
    }
    const loudness = (decibels - silenceDecibels) / (loudDecibels - silenceDecibels);
    return {
      loudness: Math.min(1, Math.max(0, loudness)),
      silentMs: now - this.#heardAt,
      wasHeard: this.#hasHeard,
      isUnknown: false,
    };
  }

  #measure(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    return 10 * Math.log10(sum / this.#samples.length + 1e-12);
  }

  close(): void {
    void this.#context.close();
  }
}
