// Markup of pictures. Screenshots, pasted and dropped files and pictures of updates open in the editor. Redacted
// content is destroyed. Shapes can be edited, hidden and read by screen readers, and recipients can reply with a
// drawing.
import { readFile } from "node:fs/promises";
import {
  dropFiles,
  Editor,
  fetchMarkup,
  paintImage,
  pasteFile,
  pngFile,
  extractPngs,
  postUpdate,
  countSecretPixels,
  countSecretPixelsIn,
  startTapProxy,
  fetchMedia,
} from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import { openStudio } from "./studio.ts";
import {
  axe,
  expect,
  fixture,
  saveScreenshots,
  signIn,
  openSignedInPage,
  test,
  type Page,
} from "./test.ts";

/**
 * Downloads a rendition with the session of `page`. Retries, because a new rendition with a new address may replace it
 * between the request for the address and the download.
 */
async function fetchRendition(page: Page, media: string, name: string): Promise<Buffer> {
  let body: Buffer = Buffer.alloc(0);
  await expect(async () => {
    const { renditions } = await fetchMedia(page, media);
    const url = renditions.find((rendition) => rendition.name === name)!.url;
    const { pathname, search } = new URL(url);
    const response = await page.request.get(pathname + search);
    expect(response.status(), name).toBe(200);
    body = await response.body();
  }).toPass({ timeout: 20_000 });
  return body;
}

const readyItems = (page: Page) => page.locator('#media-list [data-media][data-state="ready"]');
const arrivingItems = (page: Page) => page.locator(".media-list.arriving .media-item");
const fetchKinds = async (page: Page, media: string) =>
  (await fetchMarkup(page, media)).shapes.map(({ kind }) => kind);
const firstMediaId = async (page: Page) =>
  (await readyItems(page).first().getAttribute("data-media"))!;

test("a screenshot is marked up with every tool, redacted, changed and sent, and a recipient answers with a drawing", async ({
  playwright,
  browser,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [mara, milo] = await hearback.addPeople("Mara Mark", "Milo Mark");
  const tapProxy = await startTapProxy(hearback.url);
  const { page, close } = await openStudio(
    playwright,
    hearback,
    mara!,
    {},
    "/updates/new",
    tapProxy.url,
  );
  const editor = new Editor(page);
  // Show the secret on the screen that is captured.
  await page.evaluate(() => {
    const secret = document.createElement("div");
    secret.id = "secret";
    Object.assign(secret.style, {
      position: "fixed",
      left: "800px",
      top: "400px",
      width: "160px",
      height: "80px",
      background: "rgb(255, 0, 254)",
      zIndex: "100",
    });
    document.body.append(secret);
  });
  await page.getByRole("button", { name: /^Screenshot/ }).click();
  await editor.waitUntilOpen();
  await page.evaluate(() => document.getElementById("secret")!.remove());
  const before = await countSecretPixelsIn(editor.dialog.locator("img").first());
  expect(before.secret, "the capture holds the secret").toBeGreaterThan(5000);

  const share = { left: 800 / 1280, top: 400 / 720, right: 960 / 1280, bottom: 480 / 720 };
  await editor.pickTool("a");
  await editor.drag([0.15, 0.15], [0.35, 0.3]);
  await editor.pickTool("l");
  await editor.drag([0.4, 0.15], [0.6, 0.15]);
  await editor.pickTool("r");
  await editor.drag([0.15, 0.4], [0.3, 0.55]);
  await editor.pickTool("e");
  await editor.drag([0.35, 0.4], [0.5, 0.55]);
  await editor.pickTool("f");
  await editor.drag([0.2, 0.7], [0.5, 0.8], 20);
  await editor.pickTool("h");
  await editor.drag([0.6, 0.2], [0.8, 0.3]);
  await editor.pickTool("t");
  await editor.click([0.2, 0.85]);
  await page.keyboard.type("Look here first");
  await page.keyboard.press("Escape");
  await editor.pickTool("n");
  await editor.click([0.95, 0.75]);
  await editor.click([0.7, 0.75]);
  await editor.click([0.8, 0.75]);
  await editor.pickTool("x");
  await editor.drag([share.left, share.top], [share.right, share.bottom]);
  await saveScreenshots(page, "markup-editor");
  await axe(page);
  // Leave the first numbered step outside the crop. It is removed, and the remaining steps are numbered 1 and 2.
  await editor.pickTool("c");
  await editor.drag([0.1, 0.1], [0.9, 0.95]);
  await page.keyboard.press("Enter");
  await expect(editor.dialog.getByRole("status")).toHaveText(/^Cropped to \d+ by \d+ pixels$/);
  await editor.finish("Add", "Add");

  await expect(readyItems(page)).toHaveCount(1, { timeout: 30_000 });
  await expect(arrivingItems(page)).toHaveCount(0);
  const media = await firstMediaId(page);
  const drawn = [
    "arrow",
    "line",
    "rectangle",
    "ellipse",
    "freehand",
    "highlight",
    "text",
    "step",
    "step",
  ];
  expect(await fetchKinds(page, media)).toEqual(drawn);
  expect(
    (await fetchMarkup(page, media)).shapes.flatMap(({ kind, number }) =>
      kind === "step" ? [number] : [],
    ),
  ).toEqual([1, 2]);
  // The secret was neither sent nor stored.
  const sent = extractPngs(tapProxy.sentBytes());
  expect(sent.length).toBeGreaterThan(0);
  for (const picture of sent)
    expect((await countSecretPixels(page, picture)).secret, "sent").toBe(0);
  for (const { name } of (await fetchMedia(page, media)).renditions)
    expect(
      (await countSecretPixels(page, await fetchRendition(page, media, name))).secret,
      name,
    ).toBe(0);
  const { width, height } = await fetchMedia(page, media);
  expect([width, height]).toEqual([
    Math.round(before.width * 0.8),
    Math.round(before.height * 0.85),
  ]);

  // After a reload the shapes can be edited.
  await page.reload();
  await page
    .getByRole("button", { name: /^Mark up/ })
    .first()
    .click();
  await editor.waitUntilOpen();
  await editor.pickTool("v");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Delete");
  await editor.pickTool("e");
  await editor.drag([0.55, 0.6], [0.65, 0.7]);
  await editor.finish("Save");
  expect((await fetchMarkup(page, media)).revision).toBe(2);
  expect(await fetchKinds(page, media)).toEqual([...drawn.slice(1), "ellipse"]);
  // The row shows the new thumbnail without a reload once the server has rendered it.
  await expect
    .poll(
      async () => {
        const { renditions } = await fetchMedia(page, media);
        const small = renditions.find(({ name }) => name === "thumbnail")?.url ?? "";
        const shown = await readyItems(page).locator(".thumbnail img").getAttribute("src");
        return (
          renditions.some(({ name }) => name === "marked") &&
          shown !== null &&
          new URL(shown, page.url()).pathname === new URL(small).pathname
        );
      },
      { timeout: 20_000 },
    )
    .toBe(true);

  await page.getByLabel("Title").fill("Where to look");
  await page.locator("people-field input:visible").fill(milo!.email);
  await page.locator("people-field input:visible").press("Control+Enter");
  await expect(page.getByRole("heading", { name: "Where to look" })).toBeVisible();
  await expect(page.locator(".stage .layer")).toBeVisible();

  // The recipient sees the shapes, reads them as a list and hides them.
  const recipient = await openSignedInPage(browser, hearback, milo!);
  await recipient.goto(new URL(page.url()).pathname);
  await expect(recipient.locator(".stage .layer")).toBeVisible();
  const markItems = recipient
    .getByRole("list", { name: "Marks on Screenshot" })
    .getByRole("listitem");
  await expect(markItems).toHaveCount(drawn.length);
  await expect(markItems.filter({ hasText: "Text “Look here first”" })).toHaveCount(1);
  await expect(markItems.first()).toContainText(/^Line, red, from \d+ %, \d+ % to \d+ %, \d+ %$/);
  await saveScreenshots(recipient, "markup-update");
  await axe(recipient);
  await recipient.keyboard.press("m");
  await expect(recipient.locator(".stage .layer")).toBeHidden();
  await recipient.reload();
  await expect(recipient.getByRole("button", { name: "Marks", exact: true })).toHaveAttribute(
    "aria-pressed",
    "false",
  );
  await recipient.getByRole("button", { name: "Marks", exact: true }).click();
  await expect(recipient.locator(".stage .layer")).toBeVisible();

  // The recipient replies with a drawing.
  const recipientEditor = new Editor(recipient);
  await recipient.keyboard.press("d");
  await recipientEditor.waitUntilOpen();
  await expect(recipientEditor.dialog.getByRole("button", { name: "Redact" })).toHaveCount(0);
  await expect(recipientEditor.dialog.getByRole("button", { name: "Crop" })).toHaveCount(0);
  await recipientEditor.pickTool("a");
  await recipientEditor.drag([0.2, 0.8], [0.6, 0.5]);
  await recipientEditor.finish("Add");
  await expect(recipient.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await expect(recipient.locator(".layer.drawing")).toHaveCount(1);
  await recipient.locator("#body").fill("Do you mean this one?");
  await saveScreenshots(recipient, "markup-drawing");
  await axe(recipient);
  await recipient.keyboard.press("Control+Enter");
  const comment = recipient.locator(".threads .comment");
  await expect(comment).toContainText("Do you mean this one?");
  await expect(comment.getByRole("list", { name: "What is drawn" })).toContainText(
    "Arrow, red, from",
  );
  await expect(page.locator(".threads .comment")).toContainText("Do you mean this one?");
  await expect(page.locator(".layer.drawing")).toHaveCount(0);
  await page.locator(".threads .chip").click();
  await expect(page.locator(".layer.drawing")).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(page.locator(".layer.drawing")).toHaveCount(0);
  await close();
  tapProxy.close();
});

test("a single dropped picture opens in the editor and keeps its type, but several are added unchanged", async ({
  page,
  hearback,
}) => {
  const [dora] = await hearback.addPeople("Dora Drop");
  await signIn(page, dora!);
  await page.goto("/updates/new");
  const editor = new Editor(page);
  const jpeg = await paintImage(page, 640, 480, "#dfe7ef", [320, 240, 160, 80], "image/jpeg");
  expect((await countSecretPixels(page, jpeg)).secret).toBeGreaterThan(5000);
  await dropFiles(page, [{ name: "photo.jpg", bytes: jpeg, type: "image/jpeg" }]);
  await editor.waitUntilOpen();
  await expect(arrivingItems(page)).toContainText("Sent when you leave the editor");
  await editor.pickTool("x");
  await editor.drag([0.49, 0.49], [0.76, 0.68]);
  await editor.finish("Add", "Add");
  await expect(readyItems(page)).toHaveCount(1);
  const media = await firstMediaId(page);
  expect(
    (await fetchMedia(page, media)).renditions.find(({ name }) => name === "original")!.type,
  ).toBe("image/jpeg");
  expect(
    (await countSecretPixels(page, await fetchRendition(page, media, "original"))).secret,
  ).toBe(0);

  // In a WebP the redaction covers whole blocks of 16 pixels, and the editor shows that.
  await dropFiles(page, [
    {
      name: "photo.webp",
      bytes: await paintImage(page, 640, 480, "#dfe7ef", [320, 240, 160, 80], "image/webp"),
      type: "image/webp",
    },
  ]);
  await editor.waitUntilOpen();
  await editor.pickTool("x");
  await editor.drag([0.49, 0.49], [0.76, 0.68]);
  const black = editor.dialog.locator(".markup-shapes rect");
  const box = await black.evaluate((rect) =>
    ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name))),
  );
  expect(box.map((side) => side % 16)).toEqual([0, 0, 0, 0]);
  expect(box[2]).toBeGreaterThan(160);
  await editor.finish("Add", "Add");
  await expect(readyItems(page)).toHaveCount(2);
  expect(
    (
      await countSecretPixels(
        page,
        await fetchRendition(
          page,
          (await readyItems(page).nth(1).getAttribute("data-media"))!,
          "original",
        ),
      )
    ).secret,
  ).toBe(0);

  // A picture without shapes is added unchanged.
  await pasteFile(page, "image.png", await paintImage(page, 300, 200, "#ffffff"));
  await editor.waitUntilOpen();
  await editor.finish("Add");
  await expect(readyItems(page)).toHaveCount(3);

  // The editor does not open for several pictures, or for an animated one.
  await dropFiles(page, [
    { name: "one.png", bytes: await paintImage(page, 300, 200, "#eeeeee"), type: "image/png" },
    { name: "two.png", bytes: await paintImage(page, 300, 200, "#dddddd"), type: "image/png" },
  ]);
  await expect(readyItems(page)).toHaveCount(5);
  await dropFiles(page, [
    { name: "moves.gif", bytes: await readFile(fixture("anim.gif")), type: "image/gif" },
  ]);
  await expect(readyItems(page)).toHaveCount(6);
  await expect(editor.dialog).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^Mark up/ })).toHaveCount(5);
});

test("leaving the editor adds nothing, and requires confirmation if something was drawn", async ({
  page,
  hearback,
}) => {
  const [lena] = await hearback.addPeople("Lena Leave");
  await signIn(page, lena!);
  await page.goto("/updates/new");
  const editor = new Editor(page);
  const posted: string[] = [];
  page.on("request", (request) => {
    if (["POST", "PATCH", "PUT"].includes(request.method())) posted.push(request.url());
  });
  await pasteFile(page, "image.png", await paintImage(page, 300, 200, "#ffffff"));
  await editor.waitUntilOpen();
  await editor.pickTool("r");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.dialog.getByRole("button", { name: /^(Leave|Do not add)/ }).click();
  const question = page.getByRole("dialog").last();
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(question).not.toContainText("Leave without");
  await expect(editor.dialog).toBeVisible();
  await editor.dialog.getByRole("button", { name: /^(Leave|Do not add)/ }).click();
  await page
    .getByRole("dialog")
    .last()
    .getByRole("button", { name: /^(Leave|Do not add)/ })
    .click();
  await expect(editor.dialog).toHaveCount(0);
  await expect(arrivingItems(page)).toHaveCount(0);
  await expect(page.locator("#announcements")).toContainText("was not added");
  expect(posted).toEqual([]);
  await expect(page).toHaveURL("/updates/new");
});

test("shapes that the server rejects stay in their row, and Send does nothing until they are saved", async ({
  page,
  hearback,
}) => {
  const [fred] = await hearback.addPeople("Fred Fail");
  await signIn(page, fred!);
  await page.goto("/updates/new");
  const editor = new Editor(page);
  let refuse = true;
  await page.route("**/media/*/markup", (route) =>
    route.request().method() === "PUT" && refuse
      ? route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          body: JSON.stringify({ title: "Not ready", detail: "The server is not ready." }),
        })
      : route.fallback(),
  );
  await pasteFile(page, "image.png", await paintImage(page, 300, 200, "#ffffff"));
  await editor.waitUntilOpen();
  await editor.pickTool("r");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.finish("Add");
  await expect(arrivingItems(page)).toContainText(
    "The picture was uploaded, but your drawing was not saved. The server is not ready.",
  );
  await page.getByLabel("Title").fill("With a mark");
  await page.getByLabel("Title").press("Control+Enter");
  await expect(page.locator("#save-state")).toContainText("Not sent");
  await saveScreenshots(page, "markup-not-saved");
  await axe(page);
  refuse = false;
  await arrivingItems(page).getByRole("button", { name: "Try again" }).click();
  await expect(arrivingItems(page)).toHaveCount(0);
  expect(await fetchKinds(page, await firstMediaId(page))).toEqual(["rectangle"]);
  await page.getByLabel("Title").press("Control+Enter");
  await expect(page.locator(".stage .layer")).toBeVisible();
});

test("a picture can be marked up again before the page shows the saved shapes", async ({
  page,
  hearback,
}) => {
  const [tara] = await hearback.addPeople("Tara Twice");
  await signIn(page, tara!);
  const { id } = await postUpdate(
    page,
    { title: "Twice" },
    { ...pngFile, buffer: await paintImage(page, 640, 400, "#ffffff") },
  );
  const editor = new Editor(page);
  await page.goto(`/updates/${id}`);
  let answer!: () => void;
  const gate = new Promise<void>((resolve) => (answer = resolve));
  await page.route(`**/updates/${id}`, async (route) => {
    await gate;
    await route.continue();
  });
  for (const box of [
    [
      [0.1, 0.1],
      [0.3, 0.3],
    ],
    [
      [0.5, 0.5],
      [0.7, 0.7],
    ],
  ] as const) {
    await page.getByRole("button", { name: "Mark up" }).click();
    await editor.waitUntilOpen();
    await editor.pickTool("r");
    await editor.drag([...box[0]], [...box[1]]);
    await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
    await expect(editor.dialog).toHaveCount(0);
  }
  answer();
  await expect(page.locator(".stage .layer rect")).toHaveCount(2);
  await expect(page.getByRole("button", { name: "Mark up" })).toBeFocused();
});

test("a person whose markup conflicts with saved markup loses nothing and chooses which to keep", async ({
  page,
  hearback,
}) => {
  const [tess] = await hearback.addPeople("Tess Two");
  await signIn(page, tess!);
  const { id, media } = await postUpdate(
    page,
    { title: "Two tabs" },
    { ...pngFile, buffer: await paintImage(page, 640, 400, "#ffffff") },
  );
  const elsewhere = async (revision: number, ...shapes: object[]) =>
    expect(
      (
        await page.request.put(`/media/${media[0]}/markup`, {
          headers: apiHeaders,
          data: { revision, shapes, crop: null },
        })
      ).status(),
    ).toBe(200);
  const editor = new Editor(page);
  await page.goto(`/updates/${id}`);
  const open = async () => {
    await page.getByRole("button", { name: "Mark up" }).click();
    await editor.waitUntilOpen();
    await editor.pickTool("r");
    await editor.drag([0.2, 0.2], [0.6, 0.6]);
  };
  await open();
  await elsewhere(0, { kind: "line", from: [0.1, 0.1], to: [0.9, 0.1] });
  await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("The marks of this picture were changed elsewhere.")).toBeVisible();
  await saveScreenshots(page, "markup-conflict");
  await expect(
    page.getByRole("dialog").last().getByRole("button", { name: "Cancel" }),
  ).toBeFocused();
  await expect(editor.dialog.locator(".markup-bar .main")).toHaveText("Save");
  await expect(editor.dialog.getByRole("status")).toHaveText("Not saved yet");
  await page.getByRole("dialog").last().getByRole("button", { name: "Cancel" }).click();
  await expect(editor.dialog).toContainText("Not saved");
  await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog").last().getByRole("button", { name: "Save mine over it" }).click();
  await expect(editor.dialog).toHaveCount(0);
  expect(await fetchKinds(page, media[0]!)).toEqual(["rectangle"]);
  // The page shows the saved shapes without a reload.
  await expect(page.locator(".stage .layer rect")).toHaveCount(1);

  await open();
  await elsewhere(2, { kind: "ellipse", box: [0.1, 0.1, 0.2, 0.2] });
  await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page
    .getByRole("dialog")
    .last()
    .getByRole("button", { name: "Load the other version" })
    .click();
  await editor.waitUntilOpen();
  await expect(editor.dialog.locator(".markup-shapes ellipse")).toHaveCount(1);
  await expect(editor.dialog.locator(".markup-shapes rect")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(editor.dialog).toHaveCount(0);
  expect(await fetchKinds(page, media[0]!)).toEqual(["ellipse"]);
});

test("a redaction after publication removes the picture from every address and requests new answers", async ({
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
  await expect(reader.getByText("You got it", { exact: true })).toBeVisible();
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

test("the editor works by keyboard alone and announces what it does", async ({
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
  // On a narrow screen the toolbar scrolls, and fades at its end.
  const tools = editor.dialog.getByRole("toolbar");
  await page.setViewportSize({ width: 380, height: 700 });
  await expect(tools).toHaveAttribute("data-more");
  await tools.evaluate((row) => row.scrollTo(1e4, 0));
  await expect(tools).not.toHaveAttribute("data-more");
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
      "Step 1, at 50 %, 50 %",
    );
  });
});
