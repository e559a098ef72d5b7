// Picture sizes, in pixels.

export interface Size {
  width: number;
  height: number;
}

/** Used if a picture's size is unknown. */
const defaultSize: Size = { width: 1280, height: 720 };

/** The size at which a frame is displayed. */
export function sizeOf(frame: VideoFrame): Size {
  return { width: frame.displayWidth, height: frame.displayHeight };
}

/** Rounds a size down to even sides, which encoders require. */
export function evenSize({ width, height }: Size): Size {
  return { width: Math.max(2, width - (width % 2)), height: Math.max(2, height - (height % 2)) };
}

/**
 * The likely size of a track before its first frame. The track of a shared screen may report the
 * maximum size that was requested instead of its real size.
 */
export function guessedSize(track: MediaStreamTrack): Size {
  const { width = 0, height = 0 } = track.getSettings();
  return width > 0 && height > 0 ? evenSize({ width, height }) : defaultSize;
}
