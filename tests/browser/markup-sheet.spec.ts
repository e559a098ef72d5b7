// Compares how the browser and the server draw the same shapes. Each cell of a sheet contains one shape, and cells are
// compared pixel by pixel.
import type { Page } from "@playwright/test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { apiHeaders } from "./scene.ts";
import { expect, here, signIn, test } from "./test.ts";
import { fetchMarkup, paintImage, postUpdate } from "./markup.ts";

const [WIDTH, HEIGHT] = [1200, 900];
const [COLUMNS, ROWS] = [5, 5];

/**
 * The largest difference that is allowed in a cell. `mean` is the mean difference per channel (of 255). `share` is the
 * share of pixels in which a channel differs by more than 64. Neither is 0, because anti-aliasing differs a little and
 * browsers round the baseline of text to whole pixels.
 */
const tolerance = (kind: string) =>
  kind === "text"
    ? { mean: 3, share: 0.012 }
    : kind === "step"
      ? { mean: 0.5, share: 0.002 }
      : { mean: 0.6, share: 0.001 };

type Shape = { kind: string; [member: string]: unknown };

/** Converts a position within a cell to a position within the picture. Both are fractions from 0 to 1. */
const inCell = (cell: number, x: number, y: number): [number, number] => [
  ((cell % COLUMNS) + x) / COLUMNS,
  (Math.floor(cell / COLUMNS) + y) / ROWS,
];
const cellBox = (cell: number): [number, number, number, number] => [
  ...inCell(cell, 0.15, 0.2),
  0.7 / COLUMNS,
  0.6 / ROWS,
];
const cellCurve = (cell: number, withPressure: boolean) =>
  Array.from({ length: 40 }, (_, n) => [
    ...inCell(cell, 0.1 + n / 50, 0.5 + 0.3 * Math.sin(n / 4)),
    ...(withPressure ? [Math.abs(Math.sin(n / 9))] : []),
  ]);

const createShapes = (): Shape[] =>
  (
    [
      (cell) => ({ kind: "arrow", from: inCell(cell, 0.1, 0.8), to: inCell(cell, 0.9, 0.2) }),
      (cell) => ({
        kind: "arrow",
        from: inCell(cell, 0.9, 0.5),
        to: inCell(cell, 0.2, 0.5),
        color: "blue",
        width: 0.008,
      }),
      // An arrow that is shorter than its head, and an arrow of length 0.
      (cell) => ({
        kind: "arrow",
        from: inCell(cell, 0.4, 0.5),
        to: inCell(cell, 0.48, 0.52),
        color: "green",
        width: 0.008,
      }),
      (cell) => ({
        kind: "arrow",
        from: inCell(cell, 0.5, 0.5),
        to: inCell(cell, 0.5, 0.5),
        color: "purple",
        width: 0.02,
      }),
      (cell) => ({
        kind: "line",
        from: inCell(cell, 0.1, 0.3),
        to: inCell(cell, 0.9, 0.7),
        color: "orange",
        width: 0.004,
      }),
      (cell) => ({
        kind: "line",
        from: inCell(cell, 0.5, 0.1),
        to: inCell(cell, 0.5, 0.9),
        color: "white",
        width: 0.002,
      }),
      (cell) => ({ kind: "rectangle", box: cellBox(cell), color: "yellow", width: 0.004 }),
      (cell) => ({ kind: "rectangle", box: cellBox(cell), color: "black", width: 0.008 }),
      (cell) => ({ kind: "ellipse", box: cellBox(cell), color: "purple", width: 0.004 }),
      (cell) => ({ kind: "ellipse", box: cellBox(cell), color: "white", width: 0.002 }),
      (cell) => ({ kind: "freehand", points: cellCurve(cell, false), color: "red", width: 0.004 }),
      (cell) => ({ kind: "freehand", points: cellCurve(cell, true), color: "blue", width: 0.012 }),
      (cell) => ({
        kind: "freehand",
        points: [inCell(cell, 0.5, 0.5)],
        color: "green",
        width: 0.02,
      }),
      (cell) => ({
        kind: "freehand",
        points: [inCell(cell, 0.2, 0.5), inCell(cell, 0.8, 0.5)],
        color: "orange",
        width: 0.004,
      }),
      (cell) => ({ kind: "highlight", box: cellBox(cell), color: "yellow" }),
      (cell) => ({ kind: "highlight", box: cellBox(cell), color: "green" }),
      (cell) => ({
        kind: "text",
        at: inCell(cell, 0.1, 0.2),
        text: "Here, not there",
        size: 0.022,
        color: "red",
      }),
      (cell) => ({
        kind: "text",
        at: inCell(cell, 0.1, 0.2),
        text: "Two  spaces,\n  two lines",
        size: 0.03,
        color: "white",
      }),
      (cell) => ({
        kind: "text",
        at: inCell(cell, 0.1, 0.2),
        text: "Größe Ω Ж",
        size: 0.045,
        color: "yellow",
      }),
      (cell) => ({
        kind: "text",
        at: inCell(cell, 0.1, 0.2),
        text: "g",
        size: 0.1,
        color: "black",
      }),
      (cell) => ({
        kind: "step",
        at: inCell(cell, 0.5, 0.5),
        number: 1,
        color: "red",
        width: 0.004,
      }),
      (cell) => ({
        kind: "step",
        at: inCell(cell, 0.5, 0.5),
        number: 42,
        color: "yellow",
        width: 0.008,
      }),
      (cell) => ({
        kind: "step",
        at: inCell(cell, 0.5, 0.5),
        number: 999,
        color: "blue",
        width: 0.008,
      }),
      (cell) => ({
        kind: "step",
        at: inCell(cell, 0.5, 0.5),
        number: 7,
        color: "white",
        width: 0.006,
      }),
      (cell) => ({
        kind: "line",
        from: inCell(cell, 0.1, 0.9),
        to: inCell(cell, 0.9, 0.1),
        color: "green",
        width: 0.02,
      }),
    ] satisfies ((cell: number) => Shape)[]
  ).map((shape, cell) => shape(cell));

/** Changes a shape slightly. The comparison must notice the change. */
function alter(shape: Shape): Shape {
  const move = (value: unknown) =>
    (value as number[]).map((number, index) => (index < 2 ? number + 0.006 : number));
  if (shape.kind === "text")
    return {
      ...shape,
      text: (shape["text"] as string).replace(/^./, (letter) => (letter === "g" ? "q" : "M")),
    };
  if (shape.kind === "step") return { ...shape, number: (shape["number"] as number) - 1 || 4 };
  if (shape.kind === "freehand")
    return { ...shape, points: (shape["points"] as number[][]).map(move) };
  if ("box" in shape) return { ...shape, box: move(shape["box"]) };
  return { ...shape, from: move(shape["from"]), to: move(shape["to"]) };
}

/**
 * Takes a full-size screenshot of the picture on the stage with one of its layers over it. `layer`
 * is the CSS selector of the layer.
 */
async function screenshotLayer(page: Page, layer: string): Promise<Buffer> {
  await page.evaluate(
    async ([layer, width, height]) => {
      await document.fonts.load('16px "DejaVu Sans"');
      const sheet = document.querySelector(".medium.shown .sheet")!;
      const [image, marks] = [
        sheet.querySelector("img")!.cloneNode() as HTMLImageElement,
        sheet.querySelector(layer)!.cloneNode(true),
      ];
      const whole = document.createElement("div");
      whole.id = "whole";
      Object.assign(whole.style, {
        position: "fixed",
        left: "0",
        top: "0",
        width: `${width}px`,
        height: `${height}px`,
        zIndex: "1000",
      });
      Object.assign(image.style, { display: "block", width: `${width}px`, height: `${height}px` });
      whole.append(image, marks);
      document.body.append(whole);
      await image.decode();
    },
    [layer, WIDTH, HEIGHT] as const,
  );
  const picture = await page.screenshot({
    clip: { x: 0, y: 0, width: WIDTH, height: HEIGHT },
    animations: "disabled",
  });
  await page.evaluate(() => document.getElementById("whole")?.remove());
  return picture;
}

interface Difference {
  mean: number;
  share: number;
}

/** Returns the difference between two pictures for each cell. */
async function compare(page: Page, first: Buffer, second: Buffer): Promise<Difference[]> {
  return page.evaluate(
    async ([first, second, columns, rows]) => {
      const pixels = async (base64: string) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes]));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, bitmap.width, bitmap.height);
      };
      const [a, b] = [await pixels(first), await pixels(second)];
      if (a.width !== b.width || a.height !== b.height)
        throw new Error(`${a.width} × ${a.height} beside ${b.width} × ${b.height}`);
      const cells = Array.from({ length: columns * rows }, () => ({ sum: 0, far: 0, count: 0 }));
      for (let y = 0; y < a.height; y += 1) {
        for (let x = 0; x < a.width; x += 1) {
          const cell =
            cells[
              Math.floor((y * rows) / a.height) * columns + Math.floor((x * columns) / a.width)
            ]!;
          const pixel = 4 * (y * a.width + x);
          const differences = [0, 1, 2].map((channel) =>
            Math.abs(a.data[pixel + channel]! - b.data[pixel + channel]!),
          );
          cell.sum += differences.reduce((sum, value) => sum + value) / 3;
          cell.far += Math.max(...differences) > 64 ? 1 : 0;
          cell.count += 1;
        }
      }
      return cells.map(({ sum, far, count }) => ({ mean: sum / count, share: far / count }));
    },
    [first.toString("base64"), second.toString("base64"), COLUMNS, ROWS] as const,
  );
}

const isAlike = (kind: string, { mean, share }: Difference) =>
  mean <= tolerance(kind).mean && share <= tolerance(kind).share;
const describe = ({ mean, share }: Difference) =>
  `mean ${mean.toFixed(3)}, share ${share.toFixed(5)}`;

for (const [name, background] of [
  ["light", "#fbf8f2"],
  ["dark", "#14110d"],
] as const) {
  test(`the browser and the server draw every shape identically on a ${name} background`, async ({
    page,
    hearback,
  }) => {
    const [shea] = await hearback.addPeople(`Shea ${name}`);
    await signIn(page, shea!);
    await page.setViewportSize({ width: 1400, height: 1000 });
    const { id, media } = await postUpdate(
      page,
      { title: "Every shape" },
      {
        name: "sheet.png",
        mimeType: "image/png",
        buffer: await paintImage(page, WIDTH, HEIGHT, background),
      },
    );
    const shapes = createShapes();
    const saved = await page.request.put(`/media/${media[0]}/markup`, {
      headers: apiHeaders,
      data: { revision: 0, shapes, crop: null },
    });
    expect(saved.status(), await saved.text()).toBe(200);
    expect((await fetchMarkup(page, media[0]!)).shapes).toHaveLength(shapes.length);
    const postComment = async (body: string, drawing: Shape[]) => {
      const response = await page.request.post(`/updates/${id}/comments`, {
        headers: apiHeaders,
        data: { body, media_id: media[0], drawing },
      });
      expect(response.status(), await response.text()).toBe(201);
    };
    await postComment("The same", shapes);
    await postComment("Not the same", shapes.map(alter));

    let marked = "";
    await expect
      .poll(
        async () => {
          const { renditions } = (await (
            await page.request.get(`/media/${media[0]}`, { headers: apiHeaders })
          ).json()) as { renditions: { name: string; url: string }[] };
          marked = renditions.find(({ name }) => name === "marked")?.url ?? "";
          return marked;
        },
        { timeout: 30_000 },
      )
      .not.toBe("");
    const { pathname, search } = new URL(marked);
    const server = await (await page.request.get(pathname + search)).body();

    await page.goto(`/updates/${id}`);
    const layered = await screenshotLayer(page, ".layer");
    // When a comment is selected, the page's script draws the comment's shapes. The first comment has the same shapes
    // as the sheet, and the second comment has altered shapes.
    const comment = (text: string) => page.locator(".comment", { hasText: text });
    await comment("The same").first().locator(".chip").click();
    await expect(page.locator(".layer.drawing")).toHaveCount(1);
    const browser = await screenshotLayer(page, ".layer.drawing");
    const before = await page.locator(".layer.drawing").innerHTML();
    await comment("Not the same").locator(".chip").click();
    await expect.poll(() => page.locator(".layer.drawing").innerHTML()).not.toBe(before);
    const altered = await screenshotLayer(page, ".layer.drawing");

    await mkdir(join(here, "pictures"), { recursive: true });
    for (const [kind, picture] of Object.entries({ server, browser, layered }))
      await writeFile(join(here, `pictures/markup-sheet-${name}-${kind}.png`), picture);
    const differences = {
      script: await compare(page, server, browser),
      layer: await compare(page, server, layered),
      altered: await compare(page, server, altered),
    };
    for (const [cell, shape] of shapes.entries()) {
      const label = `${cell}: ${JSON.stringify(shape).slice(0, 80)}`;
      expect
        .soft(
          isAlike(shape.kind, differences.script[cell]!),
          `the page's script, ${describe(differences.script[cell]!)}, ${label}`,
        )
        .toBe(true);
      expect
        .soft(
          isAlike(shape.kind, differences.layer[cell]!),
          `the page's layer, ${describe(differences.layer[cell]!)}, ${label}`,
        )
        .toBe(true);
      // White shapes are invisible on the light sheet and black ones on the dark sheet. Each of these colors is
      // checked on the other sheet.
      if (
        shape["color"] === (name === "light" ? "white" : "black") &&
        !["text", "step"].includes(shape.kind)
      )
        continue;
      expect
        .soft(
          isAlike(shape.kind, differences.altered[cell]!),
          `altered, ${describe(differences.altered[cell]!)}, ${label}`,
        )
        .toBe(false);
    }
  });
}
