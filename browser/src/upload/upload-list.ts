// The signed-in person's unfinished uploads.
import { requestJson } from "../lib/request.js";

/** An item in the response to `GET /uploads`. */
export interface UnfinishedUpload {
  id: string;
  url: string;
  update: string;
  media: string;
  /** The number of received bytes. */
  received: number;
  /** The total number of bytes; null while the length is deferred. */
  length: number | null;
  /** Whether the upload comes from a recorder rather than a file. */
  recording: boolean;
  created_at: string;
  /** When the server last received bytes. */
  touched_at: string;
}

export async function listUploads(): Promise<UnfinishedUpload[]> {
  return ((await requestJson("GET", "/uploads")) as { items: UnfinishedUpload[] }).items;
}
