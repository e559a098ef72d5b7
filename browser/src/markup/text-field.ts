// The field for typing text on the picture. It lies exactly where the text will be, with the same
// font, size and color.
import glyphs from "glyphs";
import { make } from "../lib/dom.js";
import { baseline, contrastColor, fontName, colorValues, lineHeight } from "./draw.js";
import type { Size } from "./geometry.js";
import { limits, type TextShape } from "./shapes.js";
import type { Viewport } from "./viewport.js";

/**
 * Whether the font lacks a glyph for a character. The server cannot draw characters without a
 * glyph.
 */
function isMissing(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  // `glyphs` lists the ranges of characters in the font as [first, last, first, last, …]. If a range contains the
  // character, the search finds the end of that range. Otherwise, it finds the start of the next range. Ends have odd
  // indexes.
  return (
    code !== 10 &&
    glyphs.findIndex((bound, i) => (i % 2 === 0 ? bound > code : bound >= code)) % 2 !== 1
  );
}

/** Removes control characters except line breaks, and turns tabs into spaces. */
function visibleText(text: string): string {
  return (
    text
      .replace(/\r\n?/g, "\n")
      .replace(/\t/g, " ")
      // eslint-disable-next-line no-control-regex -- the server rejects these
      .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "")
  );
}

function drawableText(text: string): string {
  return [...visibleText(text)].filter((character) => !isMissing(character)).join("");
}

/** How far the letters of DejaVu Sans extend above and below the baseline, as multiples of the font size. */
const [ascent, descent] = [0.928, 0.236];

export interface TextFieldCallbacks {
  /** Called once, with the final text. */
  finished(text: string): void;
  /** Called if typed characters cannot be used; `message` gives the reason. */
  refused(message: string): void;
  /** Called when the person presses the keyboard shortcut that saves the markup. */
  save(): void;
}

export class TextField {
  readonly #field = make("textarea", {
    class: "markup-text",
    rows: "1",
    wrap: "off",
    spellcheck: "true",
    autocomplete: "off",
    "aria-label": "Text",
    "aria-description": "Press Escape to finish the text, Control and Enter to save",
  });
  /** The last valid text. */
  #text: string;
  #isFinished = false;

  constructor(
    private readonly shape: TextShape,
    private readonly viewport: Viewport,
    private readonly size: Size,
    private readonly callbacks: TextFieldCallbacks,
  ) {
    this.#field.value = this.#text = shape.text;
    this.#field.addEventListener("input", () => this.#handleInput());
    this.#field.addEventListener("blur", () => this.finish());
    this.#field.addEventListener("keydown", (event) => this.#handleKey(event));
    for (const name of ["copy", "cut", "paste", "pointerdown", "wheel"])
      this.#field.addEventListener(name, (event) => event.stopPropagation());
    viewport.stage.append(this.#field);
    this.place();
    this.#field.focus();
    this.#field.select();
  }

  /** Moves the field to the current position of the text. */
  place(): void {
    const { shape, viewport } = this;
    const px = shape.size * Math.min(this.size.width, this.size.height) * viewport.scale;
    const [x, y] = viewport.toStage([
      shape.at[0] * this.size.width,
      shape.at[1] * this.size.height,
    ]);
    const { style } = this.#field;
    style.left = `${x}px`;
    // The first baseline must be `baseline` font sizes below the top of the text. In the field, the browser puts the
    // first baseline at the ascent plus half of the extra line height. Shift the field by the difference.
    style.top = `${y + px * (baseline - (lineHeight - ascent - descent) / 2 - ascent)}px`;
    style.font = `${px}px/${lineHeight} "${fontName}"`;
    style.color = colorValues[shape.color];
    style.caretColor = colorValues[shape.color];
    style.setProperty("-webkit-text-stroke", `${0.16 * px}px ${contrastColor(shape.color)}`);
    this.#fit();
  }

  /** Removes the field and reports its text. */
  finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#field.remove();
    this.callbacks.finished(this.#field.value.replace(/\s+$/, ""));
  }

  #handleKey(event: KeyboardEvent): void {
    // Keep letters from triggering the editor's shortcuts.
    event.stopPropagation();
    const saves = event.key === "Enter" && (event.ctrlKey || event.metaKey);
    if (event.isComposing || (event.key !== "Escape" && !saves)) return;
    event.preventDefault();
    this.finish();
    if (saves) this.callbacks.save();
  }

  #handleInput(): void {
    const field = this.#field;
    const clean = drawableText(field.value);
    const missing = [...new Set(visibleText(field.value))].filter(isMissing).join("");
    if ([...clean].length > limits.text) {
      this.callbacks.refused(`A text can have at most ${limits.text} characters.`);
      const at = Math.max(0, field.selectionStart - (field.value.length - this.#text.length));
      field.value = this.#text;
      field.setSelectionRange(at, at);
    } else if (clean !== field.value) {
      const at = drawableText(field.value.slice(0, field.selectionStart)).length;
      field.value = clean;
      field.setSelectionRange(at, at);
      if (missing !== "")
        this.callbacks.refused(
          `“${missing}” is left out, because the picture’s font does not have it.`,
        );
    }
    this.#text = field.value;
    this.#fit();
  }

  /** Resizes the field to fit its text. */
  #fit(): void {
    const field = this.#field;
    field.rows = field.value.split("\n").length;
    field.style.width = "0";
    field.style.width = `${field.scrollWidth + Number.parseFloat(field.style.fontSize)}px`;
  }
}
