// Letter keys on keyboards of any layout.

/** The last character of Unicode's Latin blocks. */
const LAST_LATIN = 0x24f;
const LAST_ASCII = 0x7f;
/** What `event.key` is if an input method or an accent hides the character. */
const HIDDEN = ["Process", "Dead", "Unidentified"];
const BRACKETS: Record<string, string> = { BracketLeft: "[", BracketRight: "]" };

/**
 * The key of a keyboard event, as `event.key` is on a Latin layout. If the layout is not Latin (for example Cyrillic,
 * Greek, Hebrew or Arabic), returns the letter, digit or bracket that a US keyboard has in the same place. The same
 * holds for the special characters that Alt produces on a Mac.
 */
export function latinKey(event: KeyboardEvent): string {
  const { key, code } = event;
  const last = event.altKey ? LAST_ASCII : LAST_LATIN;
  if (!HIDDEN.includes(key) && key.charCodeAt(0) <= last) return key;
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter !== undefined) return event.shiftKey ? letter : letter.toLowerCase();
  return /^Digit([0-9])$/.exec(code)?.[1] ?? BRACKETS[code] ?? key;
}
