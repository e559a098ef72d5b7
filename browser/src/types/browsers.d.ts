// Browser APIs that TypeScript's library does not declare yet.
declare class MediaStreamTrackProcessor {
  constructor(of: { track: MediaStreamTrack });
  readonly readable: ReadableStream<VideoFrame>;
}
declare class MediaStreamTrackGenerator extends MediaStreamTrack {
  constructor(of: { kind: "video" });
  readonly writable: WritableStream<VideoFrame>;
}
declare class VideoTrackGenerator {
  readonly writable: WritableStream<VideoFrame>;
  readonly track: MediaStreamTrack;
}
declare class CaptureController {
  setFocusBehavior(behavior: "no-focus-change"): void;
}
interface MediaDevices {
  setCaptureHandleConfig?: (config: { handle: string; permittedOrigins: string[] }) => void;
}
interface MediaStreamTrack {
  getCaptureHandle?: () => { handle: string } | null;
}
