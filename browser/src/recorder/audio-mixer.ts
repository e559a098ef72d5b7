// Mixes the microphone with the audio of a shared screen, and measures the microphone's level.

/**
 * The silence threshold, in decibels relative to full scale. Anything quieter means that nobody is speaking or nothing
 * is plugged in.
 */
const silenceDecibels = -60;
/** The level that the meter shows as its maximum, in decibels relative to full scale. */
const loudDecibels = -10;
/** How long a browser may take to start mixing, in milliseconds. */
const startTimeout = 1000;

export interface MicrophoneLevel {
  /** The level, from 0 to 1. */
  loudness: number;
  /** Milliseconds since the microphone last picked up sound. */
  silentMs: number;
  /** Whether the microphone has picked up sound since the last call of `resetSilence`. */
  wasHeard: boolean;
  /** Whether the level is unknown, because the browser has not started to mix. */
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
   * Resolves with the track to record, or with null if there is no source. Usually, this is the mixed track, which
   * stays the same while sources are replaced. Firefox does not mix on a computer without a loudspeaker, and a recorder
   * would wait for the mix forever. In that case, resolves with the microphone's track or, if there is no microphone,
   * with the shared screen's track.
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

  /** Replaces the audio of the shared screen. A stream without audio, or null, only removes the previous audio. */
  setSharedAudio(stream: MediaStream | null): void {
    this.#shared?.disconnect();
    this.#shared = this.#connect(stream);
  }

  #connect(stream: MediaStream | null): MediaStreamAudioSourceNode | null {
    if (!stream || stream.getAudioTracks().length === 0) return null;
    // Browsers suspend a new context if the person has not clicked on the page yet, so resume it.
    void this.#context.resume();
    const node = this.#context.createMediaStreamSource(stream);
    node.connect(this.#output);
    return node;
  }

  /** Restarts the measurement of how long the microphone has been silent. */
  resetSilence(): void {
    this.#hasHeard = false;
    this.#heardAt = performance.now();
  }

  /** Measures the microphone's level. Returns null without a microphone. */
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
