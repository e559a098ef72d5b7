// Finds out whether a track delivers frames, by playing it in a video element that is not part of the page.

export class TrackProbe {
  #video = document.createElement("video");

  constructor(track: MediaStreamTrack) {
    this.#video.muted = true;
    this.#video.srcObject = new MediaStream([track]);
    // Do not await play(): it resolves only once there is a frame, and rejects if the probe is closed before that.
    this.#video.play().catch(() => undefined);
  }

  get hasPicture(): boolean {
    return showsPicture(this.#video);
  }

  close(): void {
    this.#video.srcObject = null;
  }
}

export function showsPicture(video: HTMLVideoElement): boolean {
  return video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0;
}
