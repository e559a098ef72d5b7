// The sound of a recording: the microphone and what is shared, mixed, and how loud the microphone is.

/** Below this (in dB of full scale) nobody speaks and nothing is plugged in. */
const silence = -60;
/** So many milliseconds a browser has to begin mixing. */
const patience = 1000;

export class Sound {
  #context = new AudioContext();
  #out = this.#context.createMediaStreamDestination();
  #analyser = this.#context.createAnalyser();
  #samples = new Float32Array(2048);
  #microphone: MediaStreamAudioSourceNode | null = null;
  #shared: MediaStreamAudioSourceNode | null = null;
  #heardAt = performance.now();
  #heard = false;

  constructor() {
    this.#analyser.fftSize = this.#samples.length;
  }

  /**
   * The mix; it stays the same track while sources come and go. Nothing without any. Firefox without a loudspeaker does not mix, and a
   * recorder would wait for the mix and hand nothing out: there it is the microphone itself or, without one, what is shared.
   */
  async track(): Promise<MediaStreamTrack | null> {
    const source = this.#microphone ?? this.#shared;
    if (!source) return null;
    if (!this.#mixes)
      await Promise.race([
        this.#context.resume(),
        new Promise((resolve) => setTimeout(resolve, patience)),
      ]);
    return (this.#mixes ? this.#out.stream : source.mediaStream).getAudioTracks()[0] ?? null;
  }

  get #mixes(): boolean {
    return this.#context.state === "running";
  }

  /** Takes another microphone, or none. */
  microphone(stream: MediaStream | null): void {
    this.#microphone?.disconnect();
    this.#microphone = this.#connect(stream);
    this.#microphone?.connect(this.#analyser);
    this.listen();
  }

  /** Takes the sound of what is shared, where it has any. */
  shared(stream: MediaStream | null): void {
    this.#shared?.disconnect();
    this.#shared = this.#connect(stream);
  }

  #connect(stream: MediaStream | null): MediaStreamAudioSourceNode | null {
    if (!stream || stream.getAudioTracks().length === 0) return null;
    // Browsers start it asleep where no click came first.
    void this.#context.resume();
    const node = this.#context.createMediaStreamSource(stream);
    node.connect(this.#out);
    return node;
  }

  /** Begins anew to wait for something to be heard. */
  listen(): void {
    this.#heard = false;
    this.#heardAt = performance.now();
  }

  /** How loud the microphone is now, 0 to 1, for how many milliseconds nothing was heard of it, and whether it ever was. `deaf` where that cannot be told. Nothing without one. */
  level(): { loud: number; silent: number; heard: boolean; deaf: boolean } | null {
    if (!this.#microphone) return null;
    if (!this.#mixes)
      return {
        loud: 0,
        silent: 0,
        heard: false,
        deaf: performance.now() - this.#heardAt > patience,
      };
    this.#analyser.getFloatTimeDomainData(this.#samples);
    let sum = 0;
    for (const sample of this.#samples) sum += sample * sample;
    const decibel = 10 * Math.log10(sum / this.#samples.length + 1e-12);
    const now = performance.now();
    if (decibel > silence) {
      this.#heardAt = now;
      this.#heard = true;
    }
    return {
      loud: Math.min(1, Math.max(0, (decibel - silence) / (-10 - silence))),
      silent: now - this.#heardAt,
      heard: this.#heard,
      deaf: false,
    };
  }

  close(): void {
    void this.#context.close();
  }
}
