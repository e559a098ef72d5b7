// Markup is not lost if the server rejects it, if the person immediately marks up the picture
// again, or if it conflicts with saved markup.
import {
  arrivingItems,
  Editor,
  fetchKinds,
  firstMediaId,
  paintImage,
  pasteFile,
  pngFile,
  postUpdate,
} from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import { axe, expect, saveScreenshots, signIn, test } from "./test.ts";

test("shapes that could not be saved are kept, and the update cannot be sent until they are saved", async ({
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
  await page
    .getByRole("dialog")
    .last()
    .getByRole("button", { name: "Replace it with mine" })
    .click();
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

test("the editor says which limit on marks is exceeded", async ({ page, hearback }) => {
  const [lil] = await hearback.addPeople("Lil Limit");
  await signIn(page, lil!);
  const { id, media } = await postUpdate(
    page,
    { title: "Full" },
    { ...pngFile, buffer: await paintImage(page, 640, 400, "#ffffff") },
  );
  const points = Array.from({ length: 2000 }, (_, n) => [n / 2000, 0.9]);
  const stroke = { kind: "freehand", points };
  const line = { kind: "line", from: [0.1, 0.1], to: [0.9, 0.1] };
  const editor = new Editor(page);
  for (const [revision, shapes, message] of [
    [0, Array(50).fill(stroke), "The freehand strokes on this picture are too long."],
    [1, Array(500).fill(line), "A picture can have at most 500 marks."],
  ] as const) {
    const saved = await page.request.put(`/media/${media[0]}/markup`, {
      headers: apiHeaders,
      data: { revision, shapes, crop: null },
    });
    expect(saved.status(), await saved.text()).toBe(200);
    await page.goto(`/updates/${id}`);
    await page.getByRole("button", { name: "Mark up" }).click();
    await editor.waitUntilOpen();
    await editor.pickTool("f");
    await editor.drag([0.2, 0.2], [0.6, 0.6]);
    await expect(editor.dialog.locator(".markup-note")).toContainText(message);
  }
});
