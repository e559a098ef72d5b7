// What a page gives the editor, and what it gets back.
import type { Work } from "./shapes.js";

/** What is to be marked, and what becomes of it. */
export interface Task {
  /** A blob, or an address of this site. */
  picture: Blob | string;
  /** Of the picture: for labels, and the file that is downloaded. */
  name: string;
  work: Work;
  /** Whether redaction and crop are offered. */
  destroys: boolean;
  /** What is said once before something is destroyed for good. */
  final(work: Work): string;
  /** The words of the main button. */
  done: string;
  /** What leaving is called, where it does more than close this: the picture is not added. */
  leave?: string;
  /** Published and answered: offers to ask so many people again. */
  again?: { people: number };
  /** Throws a Problem, whose words are shown; the work stays. While `asking` waits for an answer nothing is being saved. */
  save(work: Work, again: Again | undefined, asking: Asking): Promise<void>;
}

export type Asking = <T>(question: () => Promise<T>) => Promise<T>;

/** Whether those who answered are asked again, and with what changed. */
export interface Again {
  change: "material" | "cosmetic";
  what_changed?: string;
}
