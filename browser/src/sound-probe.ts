// Finds out whether a track delivers sound, silence included: a recorder that gets none would wait for it and hand nothing out.

export class SoundProbe {
  /** Null where the browser cannot tell. */
  delivers: boolean | null = null;
  #track: MediaStreamTrack | null = null;

  constructor(track: MediaStreamTrack) {
    if (typeof MediaStreamTrackProcessor === "undefined") return;
    this.delivers = false;
    this.#track = track.clone();
    const reader = new MediaStreamTrackProcessor({ track: this.#track }).readable.getReader();
    void reader.read().then(({ value }) => {
      this.delivers ||= value !== undefined;
      value?.close();
      this.close();
    });
  }

  close(): void {
    this.#track?.stop();
  }
}
