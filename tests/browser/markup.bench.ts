// Measures the markup editor: the time from a click on "Mark up" until the first stroke is visible, and the frame rate
// while a stroke is drawn over 200 marks. It uses pictures of 2560 × 1600 and 1280 × 18000 pixels, shown as a whole and
// zoomed in.
import { chromium, expect, test, type Page } from "@playwright/test";
import { Editor, paintImage, postUpdate } from "./markup.ts";
import { chromiumArgs, executablePath } from "./playwright.config.ts";
import { apiHeaders } from "./scene.ts";
import { Hearback } from "./server.ts";
import { signIn } from "./test.ts";

const rounds = Number(process.env.HEARBACK_BENCH_RUNS ?? 5);
/** How long a stroke is drawn while frames are counted, in milliseconds. */
const drawing = 4000;

interface Drawn {
  /** `rate` is in frames per second. `gap` is the longest time between two frames, in milliseconds. */
  rate: number;
  gap: number;
}

/** Returns marks of several kinds, including long strokes, spread over the whole picture. */
const marks = (count: number) =>
  Array.from({ length: count }, (_, n) => {
    const [x, y] = [0.05 + 0.8 * ((n * 0.618) % 1), 0.02 + 0.93 * (n / count)];
    if (n % 4 === 0) return { kind: "arrow", from: [x, y], to: [x + 0.1, y + 0.02], color: "red" };
    if (n % 4 === 1) return { kind: "rectangle", box: [x, y, 0.1, 0.02], color: "blue" };
    if (n % 4 === 2) return { kind: "text", at: [x, y], text: `Number ${n}`, color: "green" };
    return {
      kind: "freehand",
      points: Array.from({ length: 60 }, (_, i) => [x + i / 600, y + 0.01 * (1 + Math.sin(i / 5))]),
      color: "purple",
    };
  });

/**
 * Opens the editor and draws a stroke as soon as possible. Returns how many milliseconds after the click the canvas
 * (`there`) and the stroke were painted.
 */
async function first(page: Page, editor: Editor): Promise<{ there: number; stroke: number }> {
  await page.evaluate(() => {
    const told = window as unknown as { pressed: number; there: number; stroke: number };
    addEventListener(
      "click",
      () => {
        told.pressed = performance.now();
      },
      { capture: true, once: true },
    );
    const painted = (then: (at: number) => void) =>
      requestAnimationFrame(() => requestAnimationFrame(then));
    const looking = new MutationObserver(() => {
      const shapes = document.querySelector(".markup-shapes");
      if (!shapes || told.there) return;
      told.there = 1;
      painted((at) => {
        told.there = at;
      });
      addEventListener(
        "pointerup",
        () =>
          painted((at) => {
            told.stroke = at;
          }),
        { once: true },
      );
    });
    looking.observe(document.body, { childList: true, subtree: true });
    Object.assign(told, { there: 0, stroke: 0 });
  });
  await page
    .getByRole("button", { name: /^Mark up/ })
    .first()
    .click();
  await page.locator(".markup-shapes").waitFor();
  await editor.pickTool("f");
  await editor.drag([0.3, 0.4], [0.5, 0.5], 5);
  await page.waitForFunction(() => (window as unknown as { stroke: number }).stroke > 0);
  return page.evaluate(() => {
    const { pressed, there, stroke } = window as unknown as {
      pressed: number;
      there: number;
      stroke: number;
    };
    return { there: there - pressed, stroke: stroke - pressed };
  });
}

/** Draws one long stroke and measures the frame rate. The mouse moves as fast as the page can keep up. */
async function fluent(page: Page): Promise<Drawn> {
  const box = (await page.locator(".markup-stage").boundingBox())!;
  const spot = (n: number): [number, number] => [
    box.x + box.width * (0.5 + 0.3 * Math.cos(n / 40)),
    box.y + box.height * (0.5 + 0.3 * Math.sin(n / 27)),
  ];
  await page.keyboard.press("f");
  await page.mouse.move(...spot(0));
  await page.mouse.down();
  const counted = page.evaluate(
    (ms) =>
      new Promise<{ rate: number; gap: number }>((done) => {
        const times: number[] = [];
        const next = (at: number) => {
          times.push(at);
          if (at - times[0]! < ms) return requestAnimationFrame(next);
          const gaps = times.slice(1).map((time, n) => time - times[n]!);
          done({
            rate: (gaps.length * 1000) / (times.at(-1)! - times[0]!),
            gap: Math.max(...gaps),
          });
        };
        requestAnimationFrame(next);
      }),
    drawing,
  );
  let counting = true;
  void counted.then(() => (counting = false));
  for (let n = 1; counting; n += 1) await page.mouse.move(...spot(n));
  await page.mouse.up();
  return counted;
}

test("opening time and frame rate of the markup editor", async () => {
  const server = await Hearback.start("marks");
  const [who] = await server.addPeople("Mark");
  const browser = await chromium.launch({ executablePath, args: chromiumArgs });
  const page = await (
    await browser.newContext({ baseURL: server.url, viewport: { width: 1440, height: 900 } })
  ).newPage();
  await signIn(page, who!);
  const editor = new Editor(page);
  const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
  const range = (values: number[]) =>
    `${Math.round(median(values))} (${Math.round(Math.min(...values))} to ${Math.round(Math.max(...values))})`;
  const rows: string[] = [];
  for (const [width, height] of [
    [2560, 1600],
    [1280, 18_000],
  ] as const) {
    const { id, media } = await postUpdate(
      page,
      { title: "Marks", publish: "false" },
      {
        name: "shot.png",
        mimeType: "image/png",
        buffer: await paintImage(page, width, height, "#f4efe6"),
      },
    );
    const saved = await page.request.put(`/media/${media[0]}/markup`, {
      headers: apiHeaders,
      data: { revision: 0, crop: null, shapes: marks(200) },
    });
    expect(saved.status(), await saved.text()).toBe(200);
    const [there, stroke]: [number[], number[]] = [[], []];
    const [whole, near]: [Drawn[], Drawn[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      await page.goto(`/updates/${id}/edit`);
      const opened = await first(page, editor);
      there.push(opened.there);
      stroke.push(opened.stroke);
      await page.keyboard.press("0");
      whole.push(await fluent(page));
      await page.keyboard.press("z");
      near.push(await fluent(page));
      page.once("dialog", (dialog) => void dialog.accept());
    }
    const rate = (all: Drawn[]) =>
      `${range(all.map(({ rate }) => rate))}, longest gap ${Math.round(Math.max(...all.map(({ gap }) => gap)))} ms`;
    rows.push(
      `| ${width} × ${height}, 200 marks | ${range(there)} ms | ${range(stroke)} ms | ${rate(whole)} | ${rate(near)} |`,
    );
  }
  console.log(
    [
      "",
      "| picture | editor there | first stroke seen | frames a second, whole picture | frames a second, true size |",
      "| --- | --- | --- | --- | --- |",
      ...rows,
    ].join("\n"),
  );
  await browser.close();
  await server.stop();
});
