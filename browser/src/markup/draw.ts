// How shapes look. One description of each, which the page shows as SVG and a canvas paints; the server (markup/svg.rs) has the same figures.
import type { Box, Color, Freehand, Point, Shape, Spot } from "./shapes.js";

export const inks: Record<Color, string> = {
  red: "#e5322d",
  orange: "#f08c00",
  yellow: "#fcc419",
  green: "#2f9e44",
  blue: "#1c7ed6",
  purple: "#9c36b5",
  black: "#1a1a1a",
  white: "#ffffff",
};
export const font = "DejaVu Sans";
/** A line of text stands so many font sizes under the one before; the first baseline so many under the top. */
export const lineHeight = 1.2;
export const baseline = 0.93;

/** One SVG element. */
interface Part {
  name: "line" | "rect" | "ellipse" | "circle" | "polygon" | "path" | "text";
  has: Record<string, number | string>;
  text?: string;
}

/** What is written on a colour, or around it. */
export function contrast(color: Color): string {
  return color === "yellow" || color === "orange" || color === "white" ? "#1a1a1a" : "#ffffff";
}

/** One `<g>` a shape, in the order of drawing, for a viewBox of the picture's pixels. `lossy`: the original is, so a redaction takes whole blocks of it. */
export function draw(shapes: Shape[], width: number, height: number, lossy = false): SVGElement[] {
  return shapes.map((shape) => {
    const group = document.createElementNS("http://www.w3.org/2000/svg", "g");
    for (const part of parts(shape, width, height, lossy)) group.append(element(part));
    return group;
  });
}

function element({ name, has, text }: Part): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(has)) made.setAttribute(key, String(value));
  if (text !== undefined) {
    made.setAttributeNS("http://www.w3.org/XML/1998/namespace", "xml:space", "preserve");
    made.textContent = text;
  }
  return made;
}

/** Paints the shapes on a canvas of the picture's size. The font has to be there already. */
export function paint(
  context: CanvasRenderingContext2D,
  shapes: Shape[],
  width: number,
  height: number,
): void {
  for (const shape of shapes) {
    for (const part of parts(shape, width, height, false)) {
      const { has } = part;
      context.save();
      context.lineCap = "round";
      context.lineJoin = "round";
      context.globalAlpha = Number(has["fill-opacity"] ?? 1);
      context.fillStyle = String(has["fill"]);
      context.strokeStyle = String(has["stroke"] ?? "none");
      context.lineWidth = Number(has["stroke-width"] ?? 0);
      if (part.text !== undefined) {
        context.font = `${has["font-size"]}px "${font}"`;
        context.textAlign = has["text-anchor"] === "middle" ? "center" : "left";
        if (has["stroke"] !== undefined)
          context.strokeText(part.text, Number(has["x"]), Number(has["y"]));
        context.fillText(part.text, Number(has["x"]), Number(has["y"]));
      } else {
        const path = trace(part);
        if (has["fill"] !== "none") context.fill(path);
        if (has["stroke"] !== undefined) context.stroke(path);
      }
      context.restore();
    }
  }
}

function trace({ name, has }: Part): Path2D {
  const path = new Path2D();
  const n = (key: string) => Number(has[key]);
  if (name === "line") {
    path.moveTo(n("x1"), n("y1"));
    // A canvas leaves out what has no length, where SVG draws a dot.
    path.lineTo(n("x2") + (n("x1") === n("x2") && n("y1") === n("y2") ? 0.001 : 0), n("y2"));
  } else if (name === "rect") path.rect(n("x"), n("y"), n("width"), n("height"));
  else if (name === "circle") path.ellipse(n("cx"), n("cy"), n("r"), n("r"), 0, 0, Math.PI * 2);
  else if (name === "ellipse") path.ellipse(n("cx"), n("cy"), n("rx"), n("ry"), 0, 0, Math.PI * 2);
  else if (name === "polygon") path.addPath(new Path2D(`M${String(has["points"])}Z`));
  else path.addPath(new Path2D(String(has["d"])));
  return path;
}

function parts(shape: Shape, width: number, height: number, lossy: boolean): Part[] {
  const side = Math.min(width, height);
  const on = ([x, y]: Spot | Point): Spot => [x * width, y * height];
  switch (shape.kind) {
    case "line":
      return [line(on(shape.from), on(shape.to), stroke(shape.color, shape.width * side))];
    case "arrow":
      return arrow(on(shape.from), on(shape.to), shape.color, shape.width * side);
    case "rectangle": {
      const [x, y, w, h] = shape.box;
      return [
        {
          name: "rect",
          has: {
            x: two(x * width),
            y: two(y * height),
            width: two(w * width),
            height: two(h * height),
            ...stroke(shape.color, shape.width * side),
          },
        },
      ];
    }
    case "ellipse": {
      const [x, y, w, h] = shape.box;
      return [
        {
          name: "ellipse",
          has: {
            cx: two((x + w / 2) * width),
            cy: two((y + h / 2) * height),
            rx: two((w / 2) * width),
            ry: two((h / 2) * height),
            ...stroke(shape.color, shape.width * side),
          },
        },
      ];
    }
    case "freehand":
      return freehand(shape, on, shape.width * side);
    case "highlight": {
      const [x, y, w, h] = shape.box;
      return [
        {
          name: "rect",
          has: {
            x: two(x * width),
            y: two(y * height),
            width: two(w * width),
            height: two(h * height),
            fill: inks[shape.color],
            "fill-opacity": 0.4,
          },
        },
      ];
    }
    case "text": {
      const [x, y] = on(shape.at);
      const size = shape.size * side;
      return shape.text.split("\n").map((text, i) => ({
        name: "text",
        text,
        has: {
          x: two(x),
          y: two(y + size * (baseline + lineHeight * i)),
          "font-family": font,
          "font-size": two(size),
          fill: inks[shape.color],
          stroke: contrast(shape.color),
          "stroke-width": two(0.16 * size),
          "stroke-linejoin": "round",
          "paint-order": "stroke",
        },
      }));
    }
    case "step": {
      const [x, y] = on(shape.at);
      const r = 5.5 * shape.width * side;
      const size = (shape.number < 100 ? 1.15 : 0.85) * r;
      return [
        {
          name: "circle",
          has: {
            cx: two(x),
            cy: two(y),
            r: two(r),
            fill: inks[shape.color],
            stroke: contrast(shape.color),
            "stroke-width": two(0.12 * r),
          },
        },
        {
          name: "text",
          text: String(shape.number),
          has: {
            x: two(x),
            y: two(y + 0.36 * size),
            "font-family": font,
            "font-size": two(size),
            "text-anchor": "middle",
            fill: contrast(shape.color),
          },
        },
      ];
    }
    case "redaction": {
      const [x, y, w, h] = redacted(shape.box, width, height, lossy);
      return [{ name: "rect", has: { x, y, width: w, height: h, fill: "#000" } }];
    }
  }
}

function stroke(color: Color, width: number): Record<string, number | string> {
  return {
    fill: "none",
    stroke: inks[color],
    "stroke-width": two(width),
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  };
}

function line([x1, y1]: Spot, [x2, y2]: Spot, has: Record<string, number | string>): Part {
  return { name: "line", has: { x1: two(x1), y1: two(y1), x2: two(x2), y2: two(y2), ...has } };
}

/** The shaft ends inside the head, so that its round end does not show at the tip. */
function arrow(from: Spot, to: Spot, color: Color, width: number): Part[] {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]);
  if (length === 0) return [line(from, to, stroke(color, width))];
  const head = Math.min(5 * width, length);
  const [ux, uy] = [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
  const [baseX, baseY] = [to[0] - ux * head, to[1] - uy * head];
  const half = head * 0.5;
  const corners: Spot[] = [
    to,
    [baseX - uy * half, baseY + ux * half],
    [baseX + uy * half, baseY - ux * half],
  ];
  return [
    line(from, [to[0] - ux * head * 0.7, to[1] - uy * head * 0.7], stroke(color, width)),
    {
      name: "polygon",
      has: { points: corners.map(([x, y]) => `${two(x)} ${two(y)}`).join(" "), fill: inks[color] },
    },
  ];
}

/** Stretches of one pressure are one path, in nine steps of thickness; each is rounded through the middles between its points. */
function freehand({ points, color }: Freehand, on: (point: Point) => Spot, width: number): Part[] {
  const [first] = points;
  if (!first) return [];
  if (points.length === 1) return [line(on(first), on(first), stroke(color, width))];
  const level = (i: number) =>
    Math.round(8 * (((points[i - 1]?.[2] ?? 0.5) + (points[i]?.[2] ?? 0.5)) / 2));
  const made: Part[] = [];
  for (let start = 0; start < points.length - 1;) {
    const now = level(start + 1);
    let end = start + 1;
    while (end < points.length - 1 && level(end + 1) === now) end += 1;
    let d = "";
    for (let i = start; i <= end; i += 1) {
      const [x, y] = on(points[i] as Point);
      if (i === start) d = `M${two(x)} ${two(y)}`;
      else if (i === end) d += `L${two(x)} ${two(y)}`;
      else {
        const [nx, ny] = on(points[i + 1] as Point);
        d += `Q${two(x)} ${two(y)} ${two((x + nx) / 2)} ${two((y + ny) / 2)}`;
      }
    }
    made.push({ name: "path", has: { d, ...stroke(color, width * (0.4 + (1.2 * now) / 8)) } });
    start = end;
  }
  return made;
}

/** Whether a picture is coded in blocks, by its type or the end of its address. Of a WebP only a look into the file would tell: it is taken to be. */
export function inBlocks(kind: string): boolean {
  return /(jpe?g|webp)(\?|$)/i.test(kind);
}

/** The whole pixels a redaction destroys: the box and 3 more on each side; of a lossy picture whole blocks of 16, for a block is coded as one. */
export function redacted([x, y, w, h]: Box, width: number, height: number, lossy: boolean): Box {
  const margin = 3;
  const grid = lossy ? 16 : 1;
  const down = (value: number) =>
    Math.max(0, Math.floor((Math.floor(value) - margin) / grid) * grid);
  const up = (value: number, most: number) =>
    Math.min(most, Math.ceil((Math.ceil(value) + margin) / grid) * grid);
  const [left, top] = [down(x * width), down(y * height)];
  return [left, top, up((x + w) * width, width) - left, up((y + h) * height, height) - top];
}

/** Two decimals at most. */
function two(value: number): number {
  return Math.round(value * 100) / 100 || 0;
}

const names: Record<Shape["kind"], string> = {
  arrow: "Arrow",
  line: "Line",
  rectangle: "Rectangle",
  ellipse: "Ellipse",
  freehand: "Freehand line",
  highlight: "Highlight",
  text: "Text",
  step: "Step",
  redaction: "Redaction",
};

/** A shape in words: what it is, and where in percent from the left and the top. */
export function words(shape: Shape): string {
  const name = names[shape.kind];
  switch (shape.kind) {
    case "arrow":
    case "line":
      return `${name}, ${shape.color}, from ${place(shape.from)} to ${place(shape.to)}`;
    case "freehand":
      return `${name}, ${shape.color}, from ${place(shape.points[0] ?? [0, 0])} to ${place(shape.points.at(-1) ?? [0, 0])}`;
    case "text":
      return `Text “${shape.text}”, at ${place(shape.at)}`;
    case "step":
      return `Step ${shape.number}, at ${place(shape.at)}`;
    case "redaction":
      return `${name}, ${area(shape.box)}`;
    default:
      return `${name}, ${shape.color}, ${area(shape.box)}`;
  }
}

function area([x, y, w, h]: Box): string {
  return `at ${place([x, y])}, ${percent(w)} wide, ${percent(h)} high`;
}

function place([x, y]: Spot | Point): string {
  return `${percent(x)}, ${percent(y)}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
