// The markup editor on a phone, with fingers and with a pen.
import type { Browser, CDPSession, Page } from "@playwright/test";
import { Editor, fetchMarkup, paintImage, pngFile, postUpdate, type Position } from "./markup.ts";
import { expect, saveScreenshots, signIn, test, type Hearback } from "./test.ts";

/** Simulates fingers and a pen on the editor through the browser's debugging protocol. */
class TouchInput {
  #fingers: { x: number; y: number; id: number }[] = [];

  constructor(
    readonly editor: Editor,
    readonly cdp: CDPSession,
  ) {}

  async down(id: number, position: Position): Promise<void> {
    const [x, y] = await this.editor.pagePoint(position);
    this.#fingers.push({ x, y, id });
    await this.#dispatch("touchStart");
  }

  async move(id: number, position: Position): Promise<void> {
    const [x, y] = await this.editor.pagePoint(position);
    Object.assign(
      this.#fingers.find((finger) => finger.id === id)!,
      { x, y },
    );
    await this.#dispatch("touchMove");
  }

  async up(id: number): Promise<void> {
    this.#fingers = this.#fingers.filter((finger) => finger.id !== id);
    await this.#dispatch("touchEnd");
  }

  async drag(from: Position, to: Position): Promise<void> {
    await this.down(1, from);
    for (let step = 1; step <= 4; step += 1)
      await this.move(1, [
        from[0] + ((to[0] - from[0]) * step) / 4,
        from[1] + ((to[1] - from[1]) * step) / 4,
      ]);
    await this.up(1);
  }

  async tap(position: Position): Promise<void> {
    await this.down(1, position);
    await this.up(1);
  }

  /** Draws a line with a pen whose pressure increases. Calls `halfway` in the middle of the line. */
  async stroke(from: Position, to: Position, halfway = async () => {}): Promise<void> {
    const [x, y] = await this.editor.pagePoint(from);
    const [toX, toY] = await this.editor.pagePoint(to);
    const pen = (type: string, fraction: number, buttons: number) =>
      this.cdp.send("Input.dispatchMouseEvent", {
        type: type as "mouseMoved",
        x: x + (toX - x) * fraction,
        y: y + (toY - y) * fraction,
        button: "left",
        buttons,
        clickCount: 1,
        pointerType: "pen",
        force: 0.1 + 0.9 * fraction,
      });
    await pen("mousePressed", 0, 1);
    for (let step = 1; step <= 12; step += 1) {
      if (step === 6) await halfway();
      await pen("mouseMoved", step / 12, 1);
    }
    await pen("mouseReleased", 1, 0);
  }

  async #dispatch(type: "touchStart" | "touchMove" | "touchEnd"): Promise<void> {
    await this.cdp.send("Input.dispatchTouchEvent", { type, touchPoints: this.#fingers });
  }
}

/** Signs in on a phone, publishes an update with a picture, and opens the picture in the markup editor. */
async function openEditorOnPhone(
  browser: Browser,
  hearback: Hearback,
  name: string,
): Promise<{ page: Page; touch: TouchInput; editor: Editor; media: string }> {
  const [account] = await hearback.addPeople(name);
  const context = await browser.newContext({
    baseURL: hearback.url,
    viewport: { width: 380, height: 700 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  });
  const page = await context.newPage();
  await signIn(page, account!);
  const { id, media } = await postUpdate(
    page,
    { title: "From a phone" },
    { ...pngFile, buffer: await paintImage(page, 1170, 2000, "#f4f1ea") },
  );
  await page.goto(`/updates/${id}`);
  await page.getByRole("button", { name: "Mark up", exact: true }).tap();
  const editor = new Editor(page);
  await editor.waitUntilOpen();
  return {
    page,
    touch: new TouchInput(editor, await context.newCDPSession(page)),
    editor,
    media: media[0]!,
  };
}

test("one finger draws separate shapes, two fingers only zoom, and every corner of the crop can be reached", async ({
  browser,
  hearback,
}) => {
  const { page, touch, editor, media } = await openEditorOnPhone(browser, hearback, "Fina Finger");
  const tool = (name: string) =>
    page.locator(`dialog.markup .markup-tool[data-tool=${name}]`).tap();
  const shapes = page.locator("dialog.markup .markup-shapes > g");

  // Redact neighboring lines of text. Drawing a new box that starts close to the previous box must
  // not move the previous box.
  await tool("redaction");
  for (const y of [0.2, 0.235, 0.27]) await touch.drag([0.2, y], [0.7, y + 0.03]);
  await expect(shapes).toHaveCount(3);
  const widths = await shapes
    .locator("rect")
    .evaluateAll((all) => all.map((one) => Number(one.getAttribute("width"))));
  for (const width of widths) expect(width).toBeGreaterThan(550);

  // Place two numbered steps close to each other.
  await tool("step");
  await touch.tap([0.3, 0.6]);
  await touch.tap([0.42, 0.6]);
  await expect(shapes).toHaveCount(5);

  // The second finger turns the gesture into a zoom and discards the shape that the first finger began.
  await tool("arrow");
  const before = (await page.locator(".markup-sheet").boundingBox())!.width;
  await touch.down(1, [0.3, 0.4]);
  await touch.move(1, [0.32, 0.42]);
  await touch.down(2, [0.6, 0.6]);
  await touch.move(2, [0.8, 0.75]);
  await touch.up(2);
  await touch.up(1);
  await expect
    .poll(async () => (await page.locator(".markup-sheet").boundingBox())!.width)
    .toBeGreaterThan(before * 1.2);
  await expect(shapes).toHaveCount(5);
  await page.keyboard.press("0");

  // One tap selects a text, and the next one edits it.
  await tool("text");
  await touch.tap([0.2, 0.8]);
  await page.keyboard.type("Here");
  await tool("select");
  await touch.tap([0.24, 0.8]);
  const chosen = page.getByRole("group", { name: "What is selected" });
  await expect(chosen).toBeVisible();
  await saveScreenshots(page, "markup-phone");
  await page.setViewportSize({ width: 380, height: 700 });
  await touch.tap([0.24, 0.8]);
  await page.locator(".markup-text").press("End");
  await page.keyboard.type(" it is");
  await tool("select");
  await touch.tap([0.24, 0.8]);
  await chosen.getByRole("button", { name: "Duplicate" }).tap();
  await chosen.getByRole("button", { name: "Delete" }).tap();
  await expect(chosen).toBeHidden();

  // Nothing covers the lower right corner of the crop.
  await tool("crop");
  await expect(page.getByRole("group", { name: "Crop" })).toBeVisible();
  // Wait until the picture has moved to make room for the crop buttons.
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
  await touch.drag([0.995, 0.998], [0.9, 0.9]);
  await page.getByRole("group", { name: "Crop" }).getByRole("button", { name: "Crop" }).tap();
  await editor.finish("Save", "Save");
  await expect
    .poll(async () => (await fetchMarkup(page, media)).shapes.map(({ kind, text }) => text ?? kind))
    .toEqual(["step", "step", "Here it is"]);
  await page.context().close();
});

test("a pen draws with pressure, and a resting hand is ignored", async ({ browser, hearback }) => {
  const { page, touch, editor, media } = await openEditorOnPhone(browser, hearback, "Peer Pen");
  await page.locator("dialog.markup .markup-tool[data-tool=freehand]").tap();
  // The hand touches the screen before the stroke.
  await touch.down(1, [0.8, 0.8]);
  await touch.stroke([0.1, 0.2], [0.6, 0.25]);
  await touch.up(1);
  // The hand touches the screen in the middle of the stroke.
  await touch.stroke([0.1, 0.4], [0.6, 0.45], async () => {
    await touch.down(1, [0.8, 0.9]);
    await touch.move(1, [0.81, 0.91]);
  });
  await touch.up(1);
  // After the pen has been used, a finger moves the picture instead of drawing.
  await touch.drag([0.2, 0.6], [0.5, 0.7]);
  await expect(page.locator("dialog.markup .markup-shapes > g")).toHaveCount(2);
  await editor.finish("Save");
  const { shapes } = await fetchMarkup(page, media);
  expect(shapes.map(({ kind }) => kind)).toEqual(["freehand", "freehand"]);
  for (const { points } of shapes as unknown as { points: [number, number, number][] }[]) {
    expect(points[0]![2]).toBeLessThan(0.3);
    expect(points.at(-1)![2]).toBeGreaterThan(0.7);
    expect(Math.abs(points.at(-1)![0] - 0.6)).toBeLessThan(0.03);
  }
  await page.context().close();
});
