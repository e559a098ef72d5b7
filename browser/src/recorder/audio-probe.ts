// Finds out whether a track delivers audio data; silence counts as data. A recorder waits forever for a track that
// delivers none.

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

  #markDelivering(): void {
    this.delivers = true;
    this.close();
  }

  #read(track: MediaStreamTrack): () => void {
    // Read the track itself instead of a clone, because stopping a clone can silence other consumers of the same
    // source.
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    void reader.read().then(({ value }) => {
      if (value) this.#markDelivering();
      value?.close();
    });
    return () => void reader.cancel();
  }

  /**
   * Used in browsers in which pages cannot read a track: records the track. A recorder emits no data before it receives
   * audio, so its first data shows that the track delivers audio.
   */
  #record(track: MediaStreamTrack): () => void {
    const recorder = new MediaRecorder(new MediaStream([track]));
    const handleData = ({ data }: BlobEvent): void => {
      if (data.size > 0) this.#markDelivering();
    };
    recorder.addEventListener("dataavailable", handleData);
    recorder.start(100);
    return () => {
      // Remove the listener first, because stopping emits the remaining data even if the recorder received no audio.
      recorder.removeEventListener("dataavailable", handleData);
      if (recorder.state !== "inactive") recorder.stop();
    };
  }
}
