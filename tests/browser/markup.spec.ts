// A screenshot is marked up, redacted, sent and answered with a drawing.
import {
  arrivingItems,
  countSecretPixels,
  countSecretPixelsIn,
  Editor,
  extractPngs,
  fetchKinds,
  fetchMarkup,
  fetchMedia,
  fetchRendition,
  firstMediaId,
  readyItems,
  startTapProxy,
} from "./markup.ts";
import { openStudio } from "./studio.ts";
import { axe, expect, openSignedInPage, saveScreenshots, test } from "./test.ts";

test("a screenshot is marked up with every tool, redacted and sent, and is answered with a drawing", async ({
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
  // Crop the first numbered step away. The remaining steps are then numbered 1 and 2.
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

  // After a reload, the shapes can still be edited.
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
  // The row shows the marked picture without a reload once the server has drawn it.
  await expect
    .poll(
      async () => {
        const { renditions } = await fetchMedia(page, media);
        const marked = renditions.find(({ name }) => name === "marked")?.url;
        const shown = await readyItems(page).locator("img.large").getAttribute("src");
        return (
          marked !== undefined &&
          shown !== null &&
          new URL(shown, page.url()).pathname === new URL(marked).pathname
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

  // The recipient sees the shapes on the picture and as a list, and hides them.
  const recipient = await openSignedInPage(browser, hearback, milo!);
  await recipient.goto(new URL(page.url()).pathname);
  await expect(recipient.locator(".stage .layer")).toBeVisible();
  const markItems = recipient
    .getByRole("list", { name: "Marks on Screenshot" })
    .getByRole("listitem");
  await expect(markItems).toHaveCount(drawn.length);
  await expect(markItems.filter({ hasText: "Text “Look here first”" })).toHaveCount(1);
  await expect(markItems.first()).toContainText(/^Line, red, from \d+%, \d+% to \d+%, \d+%$/);
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
  await expect(comment.getByRole("list", { name: "In the drawing" })).toContainText(
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
