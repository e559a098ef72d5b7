// Watches whether a track delivers pictures, in a video that is not shown.

export class TrackWitness {
  #video = document.createElement("video");

  constructor(track: MediaStreamTrack) {
    this.#video.muted = true;
    this.#video.srcObject = new MediaStream([track]);
    // Not awaited: it resolves only with a picture, and rejects if it is closed before one comes.
    this.#video.play().catch(() => undefined);
  }

  get hasSeen(): boolean {
    return showsPicture(this.#video);
  }

  close(): void {
    this.#video.srcObject = null;
  }
}

/** Whether a video shows a picture. */
export function showsPicture(video: HTMLVideoElement): boolean {
  return video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0;
}
