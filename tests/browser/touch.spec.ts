// The editor of marks by finger and by pen, on a phone.
import type { Browser, CDPSession, Page } from "@playwright/test";
import { Editor, layer, painted, plain, post, type Spot } from "./markup.ts";
import { expect, pictures, signIn, test, type Hearback } from "./test.ts";

/** Fingers and a pen on a page, as a screen tells of them. */
class Hand {
  #fingers: { x: number; y: number; id: number }[] = [];

  constructor(
    readonly editor: Editor,
    readonly cdp: CDPSession,
  ) {}

  async down(id: number, spot: Spot): Promise<void> {
    const [x, y] = await this.editor.at(spot);
    this.#fingers.push({ x, y, id });
    await this.#tell("touchStart");
  }

  async move(id: number, spot: Spot): Promise<void> {
    const [x, y] = await this.editor.at(spot);
    Object.assign(
      this.#fingers.find((finger) => finger.id === id)!,
      { x, y },
    );
    await this.#tell("touchMove");
  }

  async up(id: number): Promise<void> {
    this.#fingers = this.#fingers.filter((finger) => finger.id !== id);
    await this.#tell("touchEnd");
  }

  async drag(from: Spot, to: Spot): Promise<void> {
    await this.down(1, from);
    for (let step = 1; step <= 4; step += 1)
      await this.move(1, [
        from[0] + ((to[0] - from[0]) * step) / 4,
        from[1] + ((to[1] - from[1]) * step) / 4,
      ]);
    await this.up(1);
  }

  async tap(spot: Spot): Promise<void> {
    await this.down(1, spot);
    await this.up(1);
  }

  /** A stroke of a pen that presses harder and harder; `meanwhile` in its middle. */
  async stroke(from: Spot, to: Spot, meanwhile = async () => {}): Promise<void> {
    const [[x, y], [toX, toY]] = [await this.editor.at(from), await this.editor.at(to)];
    const pen = (type: string, share: number, buttons: number) =>
      this.cdp.send("Input.dispatchMouseEvent", {
        type: type as "mouseMoved",
        x: x + (toX - x) * share,
        y: y + (toY - y) * share,
        button: "left",
        buttons,
        clickCount: 1,
        pointerType: "pen",
        force: 0.1 + 0.9 * share,
      });
    await pen("mousePressed", 0, 1);
    for (let step = 1; step <= 12; step += 1) {
      if (step === 6) await meanwhile();
      await pen("mouseMoved", step / 12, 1);
    }
    await pen("mouseReleased", 1, 0);
  }

  async #tell(type: "touchStart" | "touchMove" | "touchEnd"): Promise<void> {
    await this.cdp.send("Input.dispatchTouchEvent", { type, touchPoints: this.#fingers });
  }
}

/** Someone on a phone, in the editor of a picture of an update that is sent. */
async function drawing(
  browser: Browser,
  hearback: Hearback,
  name: string,
): Promise<{ page: Page; hand: Hand; editor: Editor; media: string }> {
  const [who] = await hearback.people(name);
  const context = await browser.newContext({
    baseURL: hearback.url,
    viewport: { width: 380, height: 700 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  });
  const page = await context.newPage();
  await signIn(page, who!);
  const { id, media } = await post(
    page,
    { title: "From a phone" },
    { ...plain, buffer: await painted(page, 1170, 2000, "#f4f1ea") },
  );
  await page.goto(`/updates/${id}`);
  await page.getByRole("button", { name: "Mark up", exact: true }).tap();
  const editor = new Editor(page);
  await editor.opened();
  return {
    page,
    hand: new Hand(editor, await context.newCDPSession(page)),
    editor,
    media: media[0]!,
  };
}

test("with fingers: each box is its own, two fingers only zoom, and all of a crop can be reached", async ({
  browser,
  hearback,
}) => {
  const { page, hand, editor, media } = await drawing(browser, hearback, "Fina Finger");
  const tool = (name: string) =>
    page.locator(`dialog.markup .markup-tool[data-tool=${name}]`).tap();
  const shapes = page.locator("dialog.markup .markup-shapes > g");

  // Line after line of a text is covered: what is drawn next begins beside what was drawn last.
  await tool("redaction");
  for (const y of [0.2, 0.235, 0.27]) await hand.drag([0.2, y], [0.7, y + 0.03]);
  await expect(shapes).toHaveCount(3);
  const widths = await shapes
    .locator("rect")
    .evaluateAll((all) => all.map((one) => Number(one.getAttribute("width"))));
  for (const width of widths) expect(width).toBeGreaterThan(550);

  // Steps close to each other.
  await tool("step");
  await hand.tap([0.3, 0.6]);
  await hand.tap([0.42, 0.6]);
  await expect(shapes).toHaveCount(5);

  // Two fingers, one after the other: what the first began is not there.
  await tool("arrow");
  const before = (await page.locator(".markup-sheet").boundingBox())!.width;
  await hand.down(1, [0.3, 0.4]);
  await hand.move(1, [0.32, 0.42]);
  await hand.down(2, [0.6, 0.6]);
  await hand.move(2, [0.8, 0.75]);
  await hand.up(2);
  await hand.up(1);
  await expect
    .poll(async () => (await page.locator(".markup-sheet").boundingBox())!.width)
    .toBeGreaterThan(before * 1.2);
  await expect(shapes).toHaveCount(5);
  await page.keyboard.press("0");

  // A text is tapped to be chosen, and once more to be written on.
  await tool("text");
  await hand.tap([0.2, 0.8]);
  await page.keyboard.type("Here");
  await tool("select");
  await hand.tap([0.24, 0.8]);
  const chosen = page.getByRole("group", { name: "What is selected" });
  await expect(chosen).toBeVisible();
  await pictures(page, "markup-phone");
  await page.setViewportSize({ width: 380, height: 700 });
  await hand.tap([0.24, 0.8]);
  await page.locator(".markup-text").press("End");
  await page.keyboard.type(" it is");
  await tool("select");
  await hand.tap([0.24, 0.8]);
  await chosen.getByRole("button", { name: "Duplicate" }).tap();
  await chosen.getByRole("button", { name: "Delete" }).tap();
  await expect(chosen).toBeHidden();

  // Its lower right corner is under nothing.
  await tool("crop");
  await expect(page.getByRole("group", { name: "Crop" })).toBeVisible();
  // The picture makes way for its buttons.
  await page.evaluate(
    () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  );
  await hand.drag([0.995, 0.998], [0.9, 0.9]);
  await page.getByRole("group", { name: "Crop" }).getByRole("button", { name: "Crop" }).tap();
  await editor.done("Save", "Save");
  await expect
    .poll(async () => (await layer(page, media)).shapes.map(({ kind, text }) => text ?? kind))
    .toEqual(["step", "step", "Here it is"]);
  await page.context().close();
});

test("with a pen: it draws as hard as it presses, whatever hand rests on the screen", async ({
  browser,
  hearback,
}) => {
  const { page, hand, editor, media } = await drawing(browser, hearback, "Peer Pen");
  await page.locator("dialog.markup .markup-tool[data-tool=freehand]").tap();
  // The hand first.
  await hand.down(1, [0.8, 0.8]);
  await hand.stroke([0.1, 0.2], [0.6, 0.25]);
  await hand.up(1);
  // In the middle of a stroke.
  await hand.stroke([0.1, 0.4], [0.6, 0.45], async () => {
    await hand.down(1, [0.8, 0.9]);
    await hand.move(1, [0.81, 0.91]);
  });
  await hand.up(1);
  // Afterwards a finger moves the picture.
  await hand.drag([0.2, 0.6], [0.5, 0.7]);
  await expect(page.locator("dialog.markup .markup-shapes > g")).toHaveCount(2);
  await editor.done("Save");
  const { shapes } = await layer(page, media);
  expect(shapes.map(({ kind }) => kind)).toEqual(["freehand", "freehand"]);
  for (const { points } of shapes as unknown as { points: [number, number, number][] }[]) {
    expect(points[0]![2]).toBeLessThan(0.3);
    expect(points.at(-1)![2]).toBeGreaterThan(0.7);
    expect(Math.abs(points.at(-1)![0] - 0.6)).toBeLessThan(0.03);
  }
  await page.context().close();
});
