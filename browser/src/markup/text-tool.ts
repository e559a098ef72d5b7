// Writing on the picture: a field that lies exactly where the text will be, in its font, size and colour.
import glyphs from "glyphs";
import { make } from "../lib/dom.js";
import { baseline, contrast, font, inks, lineHeight } from "./draw.js";
import type { Size } from "./geometry.js";
import { limits, type Text } from "./shapes.js";
import type { View } from "./viewport.js";

/** Whether the font lacks it: the server could not draw it. */
function lacking(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  // The first bound past it is the end of a range exactly where it lies in one.
  return (
    code !== 10 &&
    glyphs.findIndex((bound, i) => (i % 2 === 0 ? bound > code : bound >= code)) % 2 !== 1
  );
}

/** Lines may break; nothing else that cannot be seen. A tab is a space. */
function seen(text: string): string {
  return (
    text
      .replace(/\r\n?/g, "\n")
      .replace(/\t/g, " ")
      // eslint-disable-next-line no-control-regex -- the server refuses these
      .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "")
  );
}

function drawable(text: string): string {
  return [...seen(text)].filter((character) => !lacking(character)).join("");
}

/** DejaVu Sans: how far its letters reach over and under the baseline. */
const [ascent, descent] = [0.928, 0.236];

export class TextField {
  readonly field = make("textarea", {
    class: "markup-text",
    rows: "1",
    wrap: "off",
    spellcheck: "true",
    autocomplete: "off",
    "aria-label": "Text",
    "aria-description": "Escape when it is written, Control and Enter to save",
  });
  #before: string;
  #done = false;

  /** `done` gets what was written, once; `refused` what cannot be taken; `save` where it is the last word. */
  constructor(
    readonly shape: Text,
    readonly view: View,
    readonly size: Size,
    readonly done: (text: string) => void,
    readonly refused: (words: string) => void,
    save: () => void,
  ) {
    const { field } = this;
    field.value = this.#before = shape.text;
    field.addEventListener("input", () => this.#typed());
    field.addEventListener("blur", () => this.finish());
    field.addEventListener("keydown", (event) => {
      // The editor's keys are letters here.
      event.stopPropagation();
      if (
        event.isComposing ||
        (event.key !== "Escape" && !(event.key === "Enter" && (event.ctrlKey || event.metaKey)))
      )
        return;
      event.preventDefault();
      this.finish();
      if (event.key === "Enter") save();
    });
    for (const name of ["copy", "cut", "paste", "pointerdown", "wheel"])
      field.addEventListener(name, (event) => event.stopPropagation());
    view.stage.append(field);
    this.place();
    field.focus();
    field.select();
  }

  /** Follows the picture when it is moved or zoomed. */
  place(): void {
    const { field, shape, view } = this;
    const px = shape.size * Math.min(this.size.width, this.size.height) * view.scale;
    const [x, y] = view.on([shape.at[0] * this.size.width, shape.at[1] * this.size.height]);
    const { style } = field;
    style.left = `${x}px`;
    // A browser puts half of a line's spare height over it; the first baseline has to come to `baseline` sizes under the top.
    style.top = `${y + px * (baseline - (lineHeight - ascent - descent) / 2 - ascent)}px`;
    style.font = `${px}px/${lineHeight} "${font}"`;
    style.color = inks[shape.color];
    style.caretColor = inks[shape.color];
    style.setProperty("-webkit-text-stroke", `${0.16 * px}px ${contrast(shape.color)}`);
    this.#grow();
  }

  finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.field.remove();
    this.done(this.field.value.replace(/\s+$/, ""));
  }

  #typed(): void {
    const { field } = this;
    const clean = drawable(field.value);
    const odd = [...new Set(seen(field.value))].filter(lacking).join("");
    if ([...clean].length > limits.text) {
      this.refused(`A text has at most ${limits.text} characters.`);
      const at = Math.max(0, field.selectionStart - (field.value.length - this.#before.length));
      field.value = this.#before;
      field.setSelectionRange(at, at);
    } else if (clean !== field.value) {
      const at = drawable(field.value.slice(0, field.selectionStart)).length;
      field.value = clean;
      field.setSelectionRange(at, at);
      if (odd !== "")
        this.refused(`“${odd}” is not among the letters of the picture’s font, and is left out.`);
    }
    this.#before = field.value;
    this.#grow();
  }

  #grow(): void {
    const { field } = this;
    field.rows = field.value.split("\n").length;
    field.style.width = "0";
    field.style.width = `${field.scrollWidth + Number.parseFloat(field.style.fontSize)}px`;
  }
}
