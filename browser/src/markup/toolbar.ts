// The row of tools, colors and widths, and the buttons for the selection.
import { icon, make } from "../lib/dom.js";
import { colorValues, contrastColor } from "./draw.js";
import { colors, type Color } from "./shapes.js";
import { tools, type DrawStyle, type Tool } from "./tools.js";
import { isNarrow } from "./viewport.js";

export interface ToolbarActions {
  use(tool: Tool): void;
  color(color: Color): void;
  level(level: DrawStyle["level"]): void;
  duplicate(): void;
  order(step: 1 | -1): void;
  remove(): void;
}

export interface ToolbarState extends DrawStyle {
  tool: Tool;
  /** The number of selected marks. */
  selected: number;
}

const levels: [DrawStyle["level"], string][] = [
  [0, "Thin"],
  [1, "Medium"],
  [2, "Thick"],
];

export class Toolbar {
  #row: HTMLElement;
  /** The buttons for the selection. On a narrow screen, they are not part of the row. */
  #selectionGroup: HTMLElement;
  #isSplit = isNarrow();
  #tools: Map<Tool, HTMLButtonElement>;
  #colors: Map<Color, HTMLButtonElement>;
  #levels: Map<DrawStyle["level"], HTMLButtonElement>;
  #selectionButtons: HTMLButtonElement[];

  constructor(actions: ToolbarActions, hasTool: (tool: Tool) => boolean) {
    this.#tools = new Map(
      tools
        .filter(({ tool }) => hasTool(tool))
        .map((one) => [one.tool, toolButton(one, () => actions.use(one.tool))]),
    );
    this.#colors = new Map(
      colors.map((color, i) => [color, colorButton(color, i + 1, () => actions.color(color))]),
    );
    this.#levels = new Map(
      levels.map(([level, name]) => [level, levelButton(level, name, () => actions.level(level))]),
    );
    this.#selectionButtons = [
      selectionButton("Duplicate", "Ctrl+D", icon("copy-plus"), () => actions.duplicate()),
      selectionButton("Forward", "Page Up", icon("bring-to-front"), () => actions.order(1)),
      selectionButton("Back", "Page Down", icon("send-to-back"), () => actions.order(-1)),
      selectionButton("Delete", "Delete", icon("trash-2"), () => actions.remove()),
    ];
    this.#selectionGroup = group("What is selected", this.#selectionButtons);
    if (this.#isSplit) this.#selectionGroup.classList.add("markup-apart");
    this.#row = make(
      "div",
      { class: "markup-tools", role: "toolbar", "aria-label": "Tools" },
      group("Tools", this.#tools.values()),
      group("Color", this.#colors.values()),
      group("Width", this.#levels.values()),
      ...(this.#isSplit ? [] : [this.#selectionGroup]),
    );
    useRovingTabindex(this.#row);
    showOverflow(this.#row);
  }

  get elements(): HTMLElement[] {
    return this.#isSplit ? [this.#row, this.#selectionGroup] : [this.#row];
  }

  show({ tool, color, level, selected }: ToolbarState): void {
    setPressed(this.#tools, tool);
    setPressed(this.#colors, color);
    setPressed(this.#levels, level);
    for (const button of this.#selectionButtons)
      button.setAttribute("aria-disabled", String(selected === 0));
    if (this.#isSplit) this.#selectionGroup.hidden = selected === 0;
  }

  /** Scrolls the row to the tool if the row is wider than the screen. */
  reveal(tool: Tool): void {
    this.#tools.get(tool)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function toolButton(
  { tool, key, name, picture }: (typeof tools)[number],
  act: () => void,
): HTMLButtonElement {
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
  button.addEventListener("click", act);
  return button;
}

function colorButton(color: Color, key: number, act: () => void): HTMLButtonElement {
  const name = `${color[0]?.toUpperCase() ?? ""}${color.slice(1)}`;
  const swatch = make("span", {
    class: "swatch",
    "aria-hidden": "true",
    "data-key": String(key),
  });
  swatch.style.background = colorValues[color];
  swatch.style.color = contrastColor(color);
  const button = make(
    "button",
    {
      type: "button",
      class: "markup-color",
      "data-color": color,
      "aria-label": name,
      "aria-keyshortcuts": String(key),
      title: `${name} (${key})`,
      "aria-pressed": "false",
    },
    swatch,
  );
  button.addEventListener("click", act);
  return button;
}

function levelButton(level: DrawStyle["level"], name: string, act: () => void): HTMLButtonElement {
  const button = make(
    "button",
    {
      type: "button",
      class: "markup-width",
      "data-level": String(level),
      "aria-label": name,
      title: `${name} ([ and ])`,
      "aria-pressed": "false",
    },
    make("span", { "aria-hidden": "true" }),
  );
  button.addEventListener("click", act);
  return button;
}

/** Creates a button that stays focusable while nothing is selected. */
function selectionButton(
  name: string,
  keys: string,
  picture: SVGSVGElement,
  act: () => void,
): HTMLButtonElement {
  const button = make(
    "button",
    { type: "button", class: "markup-tool", "aria-label": name, title: `${name} (${keys})` },
    picture,
  );
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") act();
  });
  return button;
}

function group(name: string, buttons: Iterable<HTMLButtonElement>): HTMLElement {
  return make("div", { class: "markup-group", role: "group", "aria-label": name }, ...buttons);
}

function setPressed<T>(buttons: Map<T, HTMLButtonElement>, pressed: T): void {
  for (const [value, button] of buttons)
    button.setAttribute("aria-pressed", String(value === pressed));
}

/** Sets `data-more` while the row can be scrolled further. */
function showOverflow(row: HTMLElement): void {
  const update = (): void => {
    const isOverflowing = row.scrollLeft + row.clientWidth < row.scrollWidth - 1;
    row.toggleAttribute("data-more", isOverflowing);
  };
  row.addEventListener("scroll", update, { passive: true });
  new ResizeObserver(update).observe(row);
}

/** Makes the toolbar a single tab stop; arrow keys move between its buttons. */
function useRovingTabindex(toolbar: HTMLElement): void {
  const buttons = [...toolbar.querySelectorAll("button")];
  const setStop = (stop: HTMLButtonElement | undefined): void => {
    for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
  };
  setStop(buttons[0]);
  toolbar.addEventListener("focusin", ({ target }) => setStop(target as HTMLButtonElement));
  toolbar.addEventListener("keydown", (event) => {
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const targets: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: buttons.length - 1,
    };
    const next = targets[event.key];
    if (at < 0 || next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    buttons[(next + buttons.length) % buttons.length]?.focus();
  });
}
