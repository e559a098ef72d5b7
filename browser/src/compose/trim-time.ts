// Formats and parses times as people type them in the trim editor, such as `1:02.5`.

/**
 * Formats milliseconds as `1:02.5` or `1:00:02.5`. With 3 `digits`, shows milliseconds; with 1,
 * truncates to tenths of a second. Omits trailing zeros, but keeps the first decimal.
 */
export function formatExact(ms: number, digits = 3): string {
  const all = Math.max(0, digits === 3 ? Math.round(ms) : Math.floor(ms / 100) * 100);
  const [minutes, seconds] = [Math.floor(all / 60_000), Math.floor(all / 1000) % 60];
  const fraction = String(all % 1000)
    .padStart(3, "0")
    .slice(0, digits)
    .replace(/(?<=.)0+$/, "");
  const hoursAndMinutes =
    minutes >= 60
      ? `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`
      : String(minutes);
  return `${hoursAndMinutes}:${String(seconds).padStart(2, "0")}.${fraction}`;
}

/**
 * Parses times such as `1:02.5`, `62.5` and `1:00:02` into milliseconds. Returns null for any other
 * text.
 */
export function parseExact(text: string): number | null {
  const match = /^(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,6})(?:[.,](\d{1,3})\d*)?$/.exec(text.trim());
  if (!match) return null;
  const [, hours = "0", minutes = "0", seconds = "0", fraction = ""] = match;
  return (
    (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 +
    Number(fraction.padEnd(3, "0"))
  );
}
