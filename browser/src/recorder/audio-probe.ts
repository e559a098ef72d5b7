// Finds out whether a track delivers sound, silence included: a recorder that gets none would wait for it and hand nothing out.

export class SoundProbe {
  /** Null where the browser cannot tell. */
  delivers: boolean | null = null;
  #reader: ReadableStreamDefaultReader | null = null;

  constructor(track: MediaStreamTrack) {
    if (typeof MediaStreamTrackProcessor === "undefined") return;
    this.delivers = false;
    // Of the track itself: stopping a clone can silence what else listens to its source.
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    this.#reader = reader;
    void reader.read().then(({ value }) => {
      this.delivers ||= value !== undefined;
      value?.close();
      this.close();
    });
  }

  close(): void {
    void this.#reader?.cancel();
    this.#reader = null;
  }
}
