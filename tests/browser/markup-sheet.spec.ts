// One drawing, two renderers: a sheet with every shape, as the browser draws it and as the server does, compared cell by cell.
import type { Page } from "@playwright/test";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { asProgram } from "./scene.ts";
import { expect, here, signIn, test } from "./test.ts";
import { layer, painted, post } from "./markup.ts";

const [WIDTH, HEIGHT] = [1200, 900];
const [COLUMNS, ROWS] = [5, 5];

/**
 * What two renderers may differ by in a cell: the mean of all differences of a channel (of 255), and the share of pixels in which one differs by
 * more than 64. Edges are smoothed a little otherwise. So are letters, and browsers set their baseline on whole pixels, which the server does not.
 */
const tolerance = (kind: string) =>
  kind === "text"
    ? { mean: 3, share: 0.012 }
    : kind === "step"
      ? { mean: 0.5, share: 0.002 }
      : { mean: 0.6, share: 0.001 };

type Shape = { kind: string; [member: string]: unknown };

/** A shape in a cell of its own: its places are shares of the cell. */
const at = (cell: number, x: number, y: number): [number, number] => [
  ((cell % COLUMNS) + x) / COLUMNS,
  (Math.floor(cell / COLUMNS) + y) / ROWS,
];
const box = (cell: number): [number, number, number, number] => [
  ...at(cell, 0.15, 0.2),
  0.7 / COLUMNS,
  0.6 / ROWS,
];
const curve = (cell: number, pressed: boolean) =>
  Array.from({ length: 40 }, (_, n) => [
    ...at(cell, 0.1 + n / 50, 0.5 + 0.3 * Math.sin(n / 4)),
    ...(pressed ? [Math.abs(Math.sin(n / 9))] : []),
  ]);

const sheet = (): Shape[] =>
  (
    [
      (cell) => ({ kind: "arrow", from: at(cell, 0.1, 0.8), to: at(cell, 0.9, 0.2) }),
      (cell) => ({
        kind: "arrow",
        from: at(cell, 0.9, 0.5),
        to: at(cell, 0.2, 0.5),
        color: "blue",
        width: 0.008,
      }),
      // Shorter than its head would be, and a dot.
      (cell) => ({
        kind: "arrow",
        from: at(cell, 0.4, 0.5),
        to: at(cell, 0.48, 0.52),
        color: "green",
        width: 0.008,
      }),
      (cell) => ({
        kind: "arrow",
        from: at(cell, 0.5, 0.5),
        to: at(cell, 0.5, 0.5),
        color: "purple",
        width: 0.02,
      }),
      (cell) => ({
        kind: "line",
        from: at(cell, 0.1, 0.3),
        to: at(cell, 0.9, 0.7),
        color: "orange",
        width: 0.004,
      }),
      (cell) => ({
        kind: "line",
        from: at(cell, 0.5, 0.1),
        to: at(cell, 0.5, 0.9),
        color: "white",
        width: 0.002,
      }),
      (cell) => ({ kind: "rectangle", box: box(cell), color: "yellow", width: 0.004 }),
      (cell) => ({ kind: "rectangle", box: box(cell), color: "black", width: 0.008 }),
      (cell) => ({ kind: "ellipse", box: box(cell), color: "purple", width: 0.004 }),
      (cell) => ({ kind: "ellipse", box: box(cell), color: "white", width: 0.002 }),
      (cell) => ({ kind: "freehand", points: curve(cell, false), color: "red", width: 0.004 }),
      (cell) => ({ kind: "freehand", points: curve(cell, true), color: "blue", width: 0.012 }),
      (cell) => ({ kind: "freehand", points: [at(cell, 0.5, 0.5)], color: "green", width: 0.02 }),
      (cell) => ({
        kind: "freehand",
        points: [at(cell, 0.2, 0.5), at(cell, 0.8, 0.5)],
        color: "orange",
        width: 0.004,
      }),
      (cell) => ({ kind: "highlight", box: box(cell), color: "yellow" }),
      (cell) => ({ kind: "highlight", box: box(cell), color: "green" }),
      (cell) => ({
        kind: "text",
        at: at(cell, 0.1, 0.2),
        text: "Here, not there",
        size: 0.022,
        color: "red",
      }),
      (cell) => ({
        kind: "text",
        at: at(cell, 0.1, 0.2),
        text: "Two  spaces,\n  two lines",
        size: 0.03,
        color: "white",
      }),
      (cell) => ({
        kind: "text",
        at: at(cell, 0.1, 0.2),
        text: "Größe Ω Ж",
        size: 0.045,
        color: "yellow",
      }),
      (cell) => ({ kind: "text", at: at(cell, 0.1, 0.2), text: "g", size: 0.1, color: "black" }),
      (cell) => ({ kind: "step", at: at(cell, 0.5, 0.5), number: 1, color: "red", width: 0.004 }),
      (cell) => ({
        kind: "step",
        at: at(cell, 0.5, 0.5),
        number: 42,
        color: "yellow",
        width: 0.008,
      }),
      (cell) => ({
        kind: "step",
        at: at(cell, 0.5, 0.5),
        number: 999,
        color: "blue",
        width: 0.008,
      }),
      (cell) => ({ kind: "step", at: at(cell, 0.5, 0.5), number: 7, color: "white", width: 0.006 }),
      (cell) => ({
        kind: "line",
        from: at(cell, 0.1, 0.9),
        to: at(cell, 0.9, 0.1),
        color: "green",
        width: 0.02,
      }),
    ] satisfies ((cell: number) => Shape)[]
  ).map((shape, cell) => shape(cell));

/** Something about a shape that is small, and that nobody may take for the same. */
function changed(shape: Shape): Shape {
  const moved = (value: unknown) =>
    (value as number[]).map((number, n) => (n < 2 ? number + 0.006 : number));
  if (shape.kind === "text")
    return {
      ...shape,
      text: (shape["text"] as string).replace(/^./, (letter) => (letter === "g" ? "q" : "M")),
    };
  if (shape.kind === "step") return { ...shape, number: (shape["number"] as number) - 1 || 4 };
  if (shape.kind === "freehand")
    return { ...shape, points: (shape["points"] as number[][]).map(moved) };
  if ("box" in shape) return { ...shape, box: moved(shape["box"]) };
  return { ...shape, from: moved(shape["from"]), to: moved(shape["to"]) };
}

/** The picture of the stage with what is drawn over it, pixel by pixel. */
async function drawn(page: Page, layer: string): Promise<Buffer> {
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

/** How much two pictures differ, cell by cell. */
async function compare(page: Page, one: Buffer, other: Buffer): Promise<Difference[]> {
  return page.evaluate(
    async ([one, other, columns, rows]) => {
      const pixels = async (text: string) => {
        const bitmap = await createImageBitmap(
          new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]),
        );
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d")!;
        context.drawImage(bitmap, 0, 0);
        return context.getImageData(0, 0, bitmap.width, bitmap.height);
      };
      const [a, b] = [await pixels(one), await pixels(other)];
      if (a.width !== b.width || a.height !== b.height)
        throw new Error(`${a.width} × ${a.height} beside ${b.width} × ${b.height}`);
      const cells = Array.from({ length: columns * rows }, () => ({ sum: 0, far: 0, count: 0 }));
      for (let y = 0; y < a.height; y += 1) {
        for (let x = 0; x < a.width; x += 1) {
          const cell =
            cells[
              Math.floor((y * rows) / a.height) * columns + Math.floor((x * columns) / a.width)
            ]!;
          const from = 4 * (y * a.width + x);
          const apart = [0, 1, 2].map((channel) =>
            Math.abs(a.data[from + channel]! - b.data[from + channel]!),
          );
          cell.sum += apart.reduce((sum, value) => sum + value) / 3;
          cell.far += Math.max(...apart) > 64 ? 1 : 0;
          cell.count += 1;
        }
      }
      return cells.map(({ sum, far, count }) => ({ mean: sum / count, share: far / count }));
    },
    [one.toString("base64"), other.toString("base64"), COLUMNS, ROWS] as const,
  );
}

const alike = (kind: string, { mean, share }: Difference) =>
  mean <= tolerance(kind).mean && share <= tolerance(kind).share;
const said = ({ mean, share }: Difference) => `mean ${mean.toFixed(3)}, share ${share.toFixed(5)}`;

for (const [name, paper] of [
  ["light", "#fbf8f2"],
  ["dark", "#14110d"],
] as const) {
  test(`every shape looks alike in the browser and from the server, on ${name}`, async ({
    page,
    hearback,
  }) => {
    const [shea] = await hearback.people(`Shea ${name}`);
    await signIn(page, shea!);
    await page.setViewportSize({ width: 1400, height: 1000 });
    const { id, media } = await post(
      page,
      { title: "Every shape" },
      {
        name: "sheet.png",
        mimeType: "image/png",
        buffer: await painted(page, WIDTH, HEIGHT, paper),
      },
    );
    const shapes = sheet();
    const saved = await page.request.put(`/media/${media[0]}/markup`, {
      headers: asProgram,
      data: { revision: 0, shapes, crop: null },
    });
    expect(saved.status(), await saved.text()).toBe(200);
    expect((await layer(page, media[0]!)).shapes).toHaveLength(shapes.length);
    const says = async (body: string, drawing: Shape[]) => {
      const made = await page.request.post(`/updates/${id}/comments`, {
        headers: asProgram,
        data: { body, media_id: media[0], drawing },
      });
      expect(made.status(), await made.text()).toBe(201);
    };
    await says("The same", shapes);
    await says("Not the same", shapes.map(changed));

    let marked = "";
    await expect
      .poll(
        async () => {
          const { renditions } = (await (
            await page.request.get(`/media/${media[0]}`, { headers: asProgram })
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
    const layered = await drawn(page, ".layer");
    // What the page's own script draws, from the same shapes: once as they are, once each a little changed.
    const comment = (words: string) => page.locator(".comment", { hasText: words });
    await comment("The same").first().locator(".chip").click();
    await expect(page.locator(".layer.drawing")).toHaveCount(1);
    const browser = await drawn(page, ".layer.drawing");
    const before = await page.locator(".layer.drawing").innerHTML();
    await comment("Not the same").locator(".chip").click();
    await expect.poll(() => page.locator(".layer.drawing").innerHTML()).not.toBe(before);
    const other = await drawn(page, ".layer.drawing");

    await mkdir(join(here, "pictures"), { recursive: true });
    for (const [kind, picture] of Object.entries({ server, browser, layered }))
      await writeFile(join(here, `pictures/markup-sheet-${name}-${kind}.png`), picture);
    const between = {
      script: await compare(page, server, browser),
      layer: await compare(page, server, layered),
      changed: await compare(page, server, other),
    };
    for (const [cell, shape] of shapes.entries()) {
      const what = `${cell}: ${JSON.stringify(shape).slice(0, 80)}`;
      expect
        .soft(
          alike(shape.kind, between.script[cell]!),
          `the page's script, ${said(between.script[cell]!)}, ${what}`,
        )
        .toBe(true);
      expect
        .soft(
          alike(shape.kind, between.layer[cell]!),
          `the page's layer, ${said(between.layer[cell]!)}, ${what}`,
        )
        .toBe(true);
      // White on white is for the other sheet to tell.
      if (
        shape["color"] === (name === "light" ? "white" : "black") &&
        !["text", "step"].includes(shape.kind)
      )
        continue;
      expect
        .soft(
          alike(shape.kind, between.changed[cell]!),
          `changed, ${said(between.changed[cell]!)}, ${what}`,
        )
        .toBe(false);
    }
  });
}
