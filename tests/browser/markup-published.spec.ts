// Markup of published pictures: redaction, keyboard-only use, and pages without scripts.
import {
  countSecretPixels,
  Editor,
  fetchMarkup,
  fetchMedia,
  fetchRendition,
  paintImage,
  pngFile,
  postUpdate,
} from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import { axe, expect, openSignedInPage, saveScreenshots, signIn, test } from "./test.ts";

test("a redaction after publication deletes the old picture and asks for new answers", async ({
  browser,
  page,
  hearback,
}) => {
  const [rita, rob] = await hearback.addPeople("Rita Redact", "Rob Redact");
  await signIn(page, rita!);
  const secret = await paintImage(page, 800, 500, "#ffffff", [400, 250, 200, 100]);
  const { id, media } = await postUpdate(
    page,
    { title: "A slip", audience: rob!.email, expectation: "acknowledge" },
    { ...pngFile, buffer: secret },
  );
  const reader = await openSignedInPage(browser, hearback, rob!);
  await reader.goto(`/updates/${id}`);
  await reader.getByRole("button", { name: "Got it" }).click();
  await expect(reader.locator("#answer-card")).toContainText("You got it");
  const before = await reader
    .locator(".sheet > img")
    .evaluate((image: HTMLImageElement) => image.src);
  expect(
    (await countSecretPixels(page, await (await reader.request.get(before)).body())).secret,
  ).toBeGreaterThan(15_000);

  await page.goto(`/updates/${id}`);
  const editor = new Editor(page);
  await page.getByRole("button", { name: "Mark up" }).click();
  await editor.waitUntilOpen();
  await editor.pickTool("x");
  await editor.drag([0.5, 0.5], [0.75, 0.7]);
  await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
  const ask = page.getByRole("dialog").last();
  await expect(ask.locator(".words")).toHaveText(
    "Everything blacked out is deleted permanently. People who answered are asked again.",
  );
  await expect(ask.getByLabel("Ask 1 person again")).toBeChecked();
  await ask.getByLabel("What changed").fill("A number is gone.");
  await saveScreenshots(page, "markup-final");
  await axe(page);
  await ask.getByRole("button", { name: "Save" }).click();
  await expect(editor.dialog).toHaveCount(0, { timeout: 30_000 });

  await expect(page.getByRole("button", { name: "Mark up", exact: true })).toBeFocused({
    timeout: 30_000,
  });
  expect((await reader.request.get(before)).status()).toBe(404);
  await expect
    .poll(async () => (await fetchMedia(page, media[0]!)).state, { timeout: 30_000 })
    .toBe("ready");
  for (const { name } of (await fetchMedia(page, media[0]!)).renditions)
    expect(
      (await countSecretPixels(page, await fetchRendition(page, media[0]!, name))).secret,
      name,
    ).toBe(0);
  await expect(reader.getByText("A number is gone.").first()).toBeVisible();
  await expect
    .poll(() => reader.locator(".sheet > img").evaluate((image: HTMLImageElement) => image.src))
    .not.toBe(before);
  await expect(reader.getByRole("button", { name: "Got it" })).toBeVisible();
});

test("the markup editor can be used with the keyboard alone and announces what it does", async ({
  page,
  hearback,
}) => {
  const [kay] = await hearback.addPeople("Kay Keys");
  await signIn(page, kay!);
  const { id, media } = await postUpdate(
    page,
    { title: "No hand on the mouse" },
    { ...pngFile, buffer: await paintImage(page, 640, 400, "#ffffff") },
  );
  await page.goto(`/updates/${id}`);
  const editor = new Editor(page);
  const keys = async (...all: string[]) => {
    for (const key of all) await page.keyboard.press(key);
  };
  await page.getByRole("button", { name: "Mark up" }).focus();
  await keys("Enter");
  await editor.waitUntilOpen();
  const status = editor.dialog.getByRole("status");
  await keys("Control+c");
  await expect(status).toContainText(/copied/i);
  // In a window of medium width, the toolbar scrolls. Its end is faded out as long as more tools can be scrolled into
  // view. On a phone, the tools wrap instead, so that each is in view.
  const tools = editor.dialog.getByRole("toolbar");
  await page.setViewportSize({ width: 620, height: 700 });
  await expect(tools).toHaveAttribute("data-more");
  await tools.evaluate((row) => row.scrollTo(1e4, 0));
  await expect(tools).not.toHaveAttribute("data-more");
  await page.setViewportSize({ width: 380, height: 700 });
  await expect(tools).not.toHaveAttribute("data-more");
  for (const name of ["Redact", "Crop"])
    await expect(tools.getByRole("button", { name })).toBeInViewport({ ratio: 1 });
  await page.setViewportSize({ width: 1280, height: 720 });
  await keys("r", "Enter");
  await expect(status).toContainText("Rectangle, red");
  await keys("ArrowRight", "Shift+ArrowDown", "5");
  await keys("n", "Enter");
  await expect(status).toContainText("Step 1");
  await keys("t", "Enter");
  await page.keyboard.type("By keys");
  await keys("Escape");
  await expect(status).toContainText("Text “By keys”");
  await keys("Control+z", "Control+Shift+z");
  // Characters that the font lacks are removed, and the editor names them.
  await keys("t", "Enter");
  await page.keyboard.insertText("Hello 鍵 world");
  await expect(status).toContainText("“鍵” is left out");
  await expect(editor.dialog.getByRole("textbox", { name: "Text" })).toHaveValue("Hello  world");
  // Ctrl+Enter finishes the text and saves the markup.
  await keys("Control+Enter");
  await expect(editor.dialog).toHaveCount(0);
  const { shapes } = await fetchMarkup(page, media[0]!);
  expect(shapes.map(({ kind, color }) => `${kind} ${String(color)}`)).toEqual([
    "rectangle blue",
    "step blue",
    "text blue",
    "text blue",
  ]);
  expect(shapes.at(-1)).toMatchObject({ text: "Hello  world" });
  await expect(page.getByRole("button", { name: "Mark up" })).toBeFocused();
  await keys("d");
  await editor.waitUntilOpen();
  await keys("e", "Enter", "Control+Enter");
  await expect(editor.dialog).toHaveCount(0);
  await expect(page.locator("#body")).toBeFocused();
  await page.keyboard.type("Round here");
  await keys("Control+Enter");
  await expect(page.locator(".threads .comment")).toContainText("Round here");
  await expect(page.locator(".threads .comment")).toContainText("with a drawing");
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });
  test("markup is shown on the picture and as a list", async ({ page, hearback, browser }) => {
    const [nora] = await hearback.addPeople("Nora Noscript");
    // Creating the picture requires a page with scripts.
    const painter = await (await browser.newContext({ javaScriptEnabled: true })).newPage();
    const buffer = await paintImage(painter, 640, 400, "#ffffff");
    await signIn(page, nora!);
    const { id, media } = await postUpdate(page, { title: "Plain" }, { ...pngFile, buffer });
    expect(
      (
        await page.request.put(`/media/${media[0]}/markup`, {
          headers: apiHeaders,
          data: { revision: 0, crop: null, shapes: [{ kind: "step", at: [0.5, 0.5], number: 1 }] },
        })
      ).status(),
    ).toBe(200);
    await page.goto(`/updates/${id}`);
    await expect(page.locator(".sheet .layer circle")).toHaveCount(1);
    await expect(page.getByRole("list", { name: "Marks on screen.png" })).toContainText(
      "Step 1, at 50%, 50%",
    );
  });
});
