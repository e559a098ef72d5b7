// Sizes of pictures, in pixels.

export interface Size {
  width: number;
  height: number;
}

/** Used for a picture that nothing is known about. */
const usual: Size = { width: 1280, height: 720 };

/** The displayed size of a frame. */
export function sizeOf(frame: VideoFrame): Size {
  return { width: frame.displayWidth, height: frame.displayHeight };
}

/** The next smaller size that encoders take: they want even numbers. */
export function evenSize({ width, height }: Size): Size {
  return { width: Math.max(2, width - (width % 2)), height: Math.max(2, height - (height % 2)) };
}

/** The size of a track without a frame. A screen may claim to be as large as was allowed. */
export function guessedSize(track: MediaStreamTrack): Size {
  const { width = 0, height = 0 } = track.getSettings();
  return width > 0 && height > 0 ? evenSize({ width, height }) : usual;
}
