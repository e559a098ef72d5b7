// Pasted and dropped pictures open in the editor before they are added.
import { readFile } from "node:fs/promises";
import {
  arrivingItems,
  countSecretPixels,
  dropFiles,
  Editor,
  fetchMedia,
  fetchRendition,
  firstMediaId,
  paintImage,
  pasteFile,
  readyItems,
} from "./markup.ts";
import { expect, fixture, signIn, test } from "./test.ts";

test("one dropped picture opens in the editor and keeps its type, but several are added unchanged", async ({
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

  // In a WebP picture, a redaction is enlarged to whole blocks of 16 × 16 pixels. The editor shows the enlarged box.
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

test("leaving the markup editor adds no picture, and requires confirmation if something was drawn", async ({
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
  await editor.dialog.getByRole("button", { name: /^(Leave|Discard)/ }).click();
  const question = page.getByRole("dialog").last();
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(question).not.toContainText("Leave without");
  await expect(editor.dialog).toBeVisible();
  await editor.dialog.getByRole("button", { name: /^(Leave|Discard)/ }).click();
  await page
    .getByRole("dialog")
    .last()
    .getByRole("button", { name: /^(Leave|Discard)/ })
    .click();
  await expect(editor.dialog).toHaveCount(0);
  await expect(arrivingItems(page)).toHaveCount(0);
  await expect(page.locator("#announcements")).toContainText("was not added");
  expect(posted).toEqual([]);
  await expect(page).toHaveURL("/updates/new");
});
