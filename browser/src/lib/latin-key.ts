// Recognizes letter keys on keyboards of any layout.

/** The last character of the contiguous Latin blocks at the start of Unicode. */
const LAST_LATIN = 0x24f;
const LAST_ASCII = 0x7f;
/** The values of `event.key` when an input method or a dead key hides the character. */
const HIDDEN = ["Process", "Dead", "Unidentified"];
const BRACKETS: Record<string, string> = { BracketLeft: "[", BracketRight: "]" };

/**
 * Returns the Latin key of a keyboard event. On a Latin layout, this is `event.key`. On other layouts, for example
 * Cyrillic or Arabic, it is the letter, digit or bracket that a US keyboard has in the same place. Special characters
 * that Alt produces on a Mac are replaced in the same way.
 */
export function latinKey(event: KeyboardEvent): string {
  const { key, code } = event;
  const last = event.altKey ? LAST_ASCII : LAST_LATIN;
  if (!HIDDEN.includes(key) && key.charCodeAt(0) <= last) return key;
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter !== undefined) return event.shiftKey ? letter : letter.toLowerCase();
  return /^Digit([0-9])$/.exec(code)?.[1] ?? BRACKETS[code] ?? key;
}
