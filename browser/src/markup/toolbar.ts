// The row of tools, colours and widths, with their keys; and what can be done to what is selected.
import { icon, make } from "../lib/dom.js";
import { contrast, inks } from "./draw.js";
import { colors, type Color } from "./shapes.js";
import { tools, type Style, type Tool } from "./tools.js";
import { narrow } from "./viewport.js";

export interface Actions {
  use(tool: Tool): void;
  color(color: Color): void;
  level(level: Style["level"]): void;
  duplicate(): void;
  order(step: 1 | -1): void;
  remove(): void;
}

/** What the row shows. */
export interface Shown extends Style {
  tool: Tool;
  selected: number;
}

const levels: [Style["level"], string][] = [
  [0, "Thin"],
  [1, "Medium"],
  [2, "Thick"],
];

export class Toolbar {
  readonly element: HTMLElement;
  /** What can be done to what is selected: in the row, or where that is far longer than the screen, by itself. */
  readonly apart: HTMLElement | null;
  #tools = new Map<Tool, HTMLButtonElement>();
  #colors = new Map<Color, HTMLButtonElement>();
  #levels = new Map<Style["level"], HTMLButtonElement>();
  #chosen: HTMLButtonElement[];

  constructor(actions: Actions, has: (tool: Tool) => boolean) {
    for (const { tool, key, name, picture } of tools) {
      if (!has(tool)) continue;
      const button = make(
        "button",
        {
          type: "button",
          class: "markup-tool",
          "data-tool": tool,
          "aria-label": name,
          "aria-keyshortcuts": key.toUpperCase(),
          title: `${name} (${key.toUpperCase()})`,
          "aria-pressed": "false",
        },
        picture(),
        make("kbd", { "aria-hidden": "true" }, key.toUpperCase()),
      );
      button.addEventListener("click", () => actions.use(tool));
      this.#tools.set(tool, button);
    }
    for (const [i, color] of colors.entries()) {
      const words = `${color[0]?.toUpperCase() ?? ""}${color.slice(1)}`;
      const swatch = make("span", {
        class: "swatch",
        "aria-hidden": "true",
        "data-key": String(i + 1),
      });
      swatch.style.background = inks[color];
      swatch.style.color = contrast(color);
      const button = make(
        "button",
        {
          type: "button",
          class: "markup-color",
          "data-color": color,
          "aria-label": words,
          "aria-keyshortcuts": String(i + 1),
          title: `${words} (${i + 1})`,
          "aria-pressed": "false",
        },
        swatch,
      );
      button.addEventListener("click", () => actions.color(color));
      this.#colors.set(color, button);
    }
    for (const [level, words] of levels) {
      const button = make(
        "button",
        {
          type: "button",
          class: "markup-width",
          "data-level": String(level),
          "aria-label": words,
          title: `${words} ([ and ])`,
          "aria-pressed": "false",
        },
        make("span", { "aria-hidden": "true" }),
      );
      button.addEventListener("click", () => actions.level(level));
      this.#levels.set(level, button);
    }
    const act = (words: string, keys: string, picture: SVGSVGElement, run: () => void) => {
      const button = make(
        "button",
        { type: "button", class: "markup-tool", "aria-label": words, title: `${words} (${keys})` },
        picture,
      );
      button.addEventListener("click", () => {
        if (button.getAttribute("aria-disabled") !== "true") run();
      });
      return button;
    };
    this.#chosen = [
      act("Duplicate", "Ctrl+D", icon("copy-plus"), () => actions.duplicate()),
      act("Forward", "Page Up", icon("bring-to-front"), () => actions.order(1)),
      act("Back", "Page Down", icon("send-to-back"), () => actions.order(-1)),
      act("Delete", "Delete", icon("trash-2"), () => actions.remove()),
    ];
    const group = (name: string, buttons: Iterable<HTMLButtonElement>) =>
      make("div", { class: "markup-group", role: "group", "aria-label": name }, ...buttons);
    const selected = group("What is selected", this.#chosen);
    this.apart = narrow() ? selected : null;
    this.apart?.classList.add("markup-apart");
    this.element = make(
      "div",
      { class: "markup-tools", role: "toolbar", "aria-label": "Tools" },
      group("Tools", this.#tools.values()),
      group("Colour", this.#colors.values()),
      group("Width", this.#levels.values()),
      ...(this.apart ? [] : [selected]),
    );
    rove(this.element);
    const { element } = this;
    const more = () =>
      element.toggleAttribute(
        "data-more",
        element.scrollLeft + element.clientWidth < element.scrollWidth - 1,
      );
    element.addEventListener("scroll", more, { passive: true });
    new ResizeObserver(more).observe(element);
  }

  show({ tool, color, level, selected }: Shown): void {
    for (const [one, button] of this.#tools)
      button.setAttribute("aria-pressed", String(one === tool));
    for (const [one, button] of this.#colors)
      button.setAttribute("aria-pressed", String(one === color));
    for (const [one, button] of this.#levels)
      button.setAttribute("aria-pressed", String(one === level));
    for (const button of this.#chosen) button.setAttribute("aria-disabled", String(selected === 0));
    if (this.apart) this.apart.hidden = selected === 0;
  }

  /** Has the tool in sight where the row is longer than the screen. */
  reveal(tool: Tool): void {
    this.#tools.get(tool)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

/** One stop of the Tab key; the arrows go on from there. */
function rove(toolbar: HTMLElement): void {
  const buttons = [...toolbar.querySelectorAll("button")];
  const stop = (at: HTMLButtonElement | undefined) => {
    for (const button of buttons) button.tabIndex = button === at ? 0 : -1;
  };
  stop(buttons[0]);
  toolbar.addEventListener("focusin", ({ target }) => stop(target as HTMLButtonElement));
  toolbar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[
      event.key
    ];
    if (at < 0 || next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    buttons[(next + buttons.length) % buttons.length]?.focus();
  });
}
