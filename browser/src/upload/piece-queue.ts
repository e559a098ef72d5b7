// The pieces of a recording that the server has not confirmed, in order. New pieces are in memory until the spool has
// stored them.
import type { Piece, Recording, Spool } from "./spool.js";

/** `bytes` is set until the piece is in the spool. */
type QueuedPiece = Piece & { bytes?: ArrayBuffer };

export class PieceQueue {
  /** How much was recorded, in milliseconds. */
  recordedMs: number;
  #pieces: QueuedPiece[];
  #endOffset: number;
  /** Whether the last write to the spool succeeded. */
  #spoolWorks = true;

  /** `spooled` contains the pieces that were spooled before the page was reloaded. */
  constructor(
    private readonly recording: Recording,
    private readonly spool: Spool,
    spooled: Piece[],
  ) {
    this.#pieces = spooled;
    const last = spooled.at(-1);
    this.#endOffset = last?.end ?? recording.safe;
    this.recordedMs = last?.ms ?? recording.safeMs;
  }

  /** The offset after the last piece. */
  get endOffset(): number {
    return this.#endOffset;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** Whether the next piece may be sent. */
  get hasReadyPiece(): boolean {
    const next = this.#pieces[0];
    return next !== undefined && this.#isReady(next);
  }

  /** How much of the recording has reached the spool or the server, in milliseconds. */
  get spooledMs(): number {
    const first = this.#firstUnspooled;
    const last = first === -1 ? this.#pieces.at(-1) : this.#pieces[first - 1];
    return last?.ms ?? this.recording.safeMs;
  }

  /** Whether the newest pieces are only in memory, because the spool rejects them. */
  get isInMemoryOnly(): boolean {
    return !this.#spoolWorks && this.#firstUnspooled !== -1;
  }

  get #firstUnspooled(): number {
    return this.#pieces.findIndex((piece) => piece.bytes);
  }

  /** Adds a piece that ends after `ms` milliseconds of recorded time, and writes it to the spool. */
  async add(bytes: ArrayBuffer, ms: number): Promise<void> {
    const end = this.#endOffset + bytes.byteLength;
    this.#pieces.push({ from: this.#endOffset, end, ms, bytes });
    this.#endOffset = end;
    await this.#spoolPieces();
  }

  /**
   * Writes queued bytes to the spool, in order. If the spool is full or disabled, keeps the bytes
   * in memory and tries again when the next piece is added.
   */
  async #spoolPieces(): Promise<void> {
    for (const piece of [...this.#pieces]) {
      const { bytes } = piece;
      if (!bytes || !this.#pieces.includes(piece)) continue;
      try {
        await this.spool.writePiece(this.recording.id, piece, bytes);
        delete piece.bytes;
        this.#spoolWorks = true;
      } catch {
        this.#spoolWorks = false;
        return;
      }
    }
  }

  /** Whether a piece may be sent: it is in the spool, or the spool does not work. */
  #isReady(piece: QueuedPiece): boolean {
    return piece.bytes === undefined || !this.#spoolWorks;
  }

  /**
   * Reads the next bytes to send, at most `limit`. If the spool does not return them, resolves with the reason instead.
   */
  async read(limit: number): Promise<Blob | "unreadable" | "deleted"> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let offset = this.recording.safe;
    let room = limit;
    for (const piece of [...this.#pieces]) {
      if (room === 0 || !this.#isReady(piece)) break;
      let bytes = piece.bytes;
      try {
        bytes ??= await this.spool.readPiece(this.recording.id, piece);
      } catch {
        return "unreadable";
      }
      if (!bytes) return "deleted";
      const part = new Uint8Array(bytes, offset - piece.from, Math.min(room, piece.end - offset));
      parts.push(part);
      offset += part.byteLength;
      room -= part.byteLength;
    }
    return new Blob(parts);
  }

  /**
   * Drops all pieces, because the server already has more of the recording than this page. `offset` is the server's
   * offset.
   */
  skipTo(offset: number): void {
    this.#pieces = [];
    this.#endOffset = offset;
  }

  /** Removes the pieces that the server has confirmed, and stores the confirmed offset. */
  async confirm(offset: number): Promise<void> {
    const covered = this.#pieces.filter((piece) => piece.end <= offset);
    this.#pieces = this.#pieces.filter((piece) => piece.end > offset);
    this.recording.safe = offset;
    this.recording.safeMs = covered.at(-1)?.ms ?? this.recording.safeMs;
    // Ignore a failure. Pieces that remain in the spool do no harm, because resuming an upload
    // begins by fetching the server's offset.
    await this.spool.removeCovered(this.recording, covered).catch(() => {});
  }
}
