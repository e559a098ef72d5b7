// Finds out whether a track delivers sound, silence included: a recorder that gets none would wait for it and hand nothing out.

export class SoundProbe {
  delivers = false;
  #stop: () => void;

  constructor(track: MediaStreamTrack) {
    this.#stop =
      typeof MediaStreamTrackProcessor === "undefined" ? this.#record(track) : this.#read(track);
  }

  close(): void {
    this.#stop();
    this.#stop = () => undefined;
  }

  #hasSound(): void {
    this.delivers = true;
    this.close();
  }

  #read(track: MediaStreamTrack): () => void {
    // Of the track itself: stopping a clone can silence what else listens to its source.
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    void reader.read().then(({ value }) => {
      if (value) this.#hasSound();
      value?.close();
    });
    return () => void reader.cancel();
  }

  /** Where pages cannot read a track: a recorder hands out nothing before its first sound. */
  #record(track: MediaStreamTrack): () => void {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const heard = ({ data }: BlobEvent): void => {
      if (data.size > 0) this.#hasSound();
    };
    recorder.addEventListener("dataavailable", heard);
    recorder.start(100);
    return () => {
      // Stopping hands out what is left, which may be no sound.
      recorder.removeEventListener("dataavailable", heard);
      if (recorder.state !== "inactive") recorder.stop();
    };
  }
}
