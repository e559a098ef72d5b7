// Reads and writes the fields of the draft form.
import { readStorage, writeStorage } from "../lib/dom.js";

/** The values of the form, as `POST /updates` and `PATCH /updates/{id}` accept them. */
export interface DraftValues {
  title: string;
  notes: string;
  audience: string[];
  expectation: string;
  visibility: string;
  /**
   * A number of working days from publication, a time in UTC, or null if the update has no due
   * time.
   */
  due: { working_days: number } | string | null;
  prompt: string | null;
  otherwise: string | null;
  later_members: boolean;
}

/** Returns the values that differ from the saved ones. */
export function changedValues(now: DraftValues, saved: Partial<DraftValues>): Partial<DraftValues> {
  return Object.fromEntries(
    Object.entries(now).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(saved[name as keyof DraftValues]),
    ),
  );
}

export class DraftFields {
  constructor(readonly form: HTMLFormElement) {}

  read(): DraftValues {
    const data = new FormData(this.form);
    const text = (name: string): string => {
      const value = data.get(name);
      return typeof value === "string" ? value : "";
    };
    const due: Record<string, DraftValues["due"]> = {
      days: { working_days: Number(text("due_days")) },
      time: text("due") || null,
    };
    return {
      title: text("title"),
      notes: text("notes"),
      audience: text("audience")
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
      expectation: text("expectation"),
      visibility: text("visibility"),
      due: due[text("when")] ?? null,
      prompt: text("prompt") || null,
      otherwise: text("otherwise") || null,
      later_members:
        this.form.querySelector<HTMLInputElement>("input[type=checkbox][name=later_members]")
          ?.checked ?? false,
    };
  }

  /** Whether the form contains text that is worth saving as a draft. */
  get hasText(): boolean {
    const { title, notes, prompt, otherwise } = this.read();
    return Boolean(title || notes || prompt || otherwise);
  }

  get title(): HTMLInputElement | null {
    return this.#input("title");
  }

  /** The version of the update that the form shows. The server refuses changes that are based on another version. */
  get version(): number {
    return Number(this.#input("version")?.value ?? 0);
  }

  set version(version: number) {
    const input = this.#input("version");
    if (input) input.value = String(version);
  }

  /**
   * If the audience is empty, fills in the audience and the expectation of the last update published from this browser.
   */
  restoreLastChoice(): void {
    const audience = this.#input("audience");
    if (!audience || audience.value !== "") return;
    audience.value = readStorage("localStorage", "audience") ?? "";
    const last = readStorage("localStorage", "expectation") ?? "fyi";
    const expectation = this.form.querySelector<HTMLInputElement>(
      `input[name=expectation][value="${CSS.escape(last)}"]`,
    );
    if (expectation) expectation.checked = true;
    document.dispatchEvent(new CustomEvent("hearback:audience-changed"));
  }

  rememberChoice(): void {
    const { audience, expectation } = this.read();
    writeStorage("localStorage", "audience", audience.join(", "));
    writeStorage("localStorage", "expectation", expectation);
  }

  #input(name: string): HTMLInputElement | null {
    const field = this.form.elements.namedItem(name);
    return field instanceof HTMLInputElement ? field : null;
  }
}
