// Drawings in comments, on pictures and on video frames. A drawing is shown when its comment is selected or when the
// video reaches the comment's time. Unsent drawings are never lost.
import { readFile } from "node:fs/promises";
import { Editor, fetchMarkup, paintImage, pngFile, postUpdate, fetchMedia } from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import {
  expect,
  fixture,
  saveScreenshots,
  signIn,
  openSignedInPage,
  test,
  type Page,
} from "./test.ts";

test("a video frame can be added as a picture, and a drawing on a frame appears at that frame", async ({
  browser,
  page,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [vera, vito] = await hearback.addPeople("Vera Video", "Vito Video");
  await signIn(page, vera!);
  const { id } = await postUpdate(
    page,
    { title: "Ten seconds", audience: vito!.email },
    {
      name: "flow.webm",
      mimeType: "video/webm",
      buffer: await readFile(fixture("rec-vp9-opus-10s.webm")),
    },
  );
  const seek = async (target: Page, seconds: number) => {
    const video = target.locator(".stage video, .media-item video").first();
    await expect
      .poll(() => video.evaluate((video: HTMLVideoElement) => video.readyState))
      .toBeGreaterThan(0);
    await video.evaluate((video: HTMLVideoElement, seconds) => {
      video.currentTime = seconds;
    }, seconds);
  };

  const editor = new Editor(page);
  await page.goto(`/updates/${id}`);
  await seek(page, 4);
  await page.getByRole("button", { name: "Mark up this frame" }).click();
  await editor.waitUntilOpen();
  await editor.pickTool("e");
  await editor.drag([0.3, 0.3], [0.6, 0.6]);
  await editor.finish("Add");
  await expect(page.locator(".strip a")).toHaveCount(2);
  await expect(page.locator(".medium.shown .layer ellipse")).toHaveCount(1);
  await expect(page.locator(".medium.shown img")).toHaveAttribute("alt", "flow at 0.04.png");
  await expect(page.locator(".medium.shown .viewport")).toBeFocused();

  await page.goto(`/updates/${id}/edit`);
  await seek(page, 6);
  await page.getByRole("button", { name: /^Mark up this frame/ }).click();
  await editor.waitUntilOpen();
  await editor.finish("Add");
  await expect(page.locator(".media-item[data-media]")).toHaveCount(3);

  const viewer = await openSignedInPage(browser, hearback, vito!);
  const viewerEditor = new Editor(viewer);
  await viewer.goto(`/updates/${id}`);
  await expect(viewer.getByRole("button", { name: "Mark up this frame" })).toHaveCount(0);
  await seek(viewer, 5);
  await viewer.keyboard.press("d");
  await viewerEditor.waitUntilOpen();
  await viewerEditor.pickTool("a");
  await viewerEditor.drag([0.2, 0.2], [0.7, 0.7]);
  await viewerEditor.finish("Add");
  await expect(viewer.locator(".composer-anchor")).toContainText("at 0:05");
  // A comment with a drawing needs no text.
  await viewer
    .locator(".main-composer")
    .getByRole("button", { name: "Comment", exact: true })
    .click();
  await expect(viewer.locator(".threads .comment .chip")).toContainText("0:05");
  await viewer.reload();
  await expect(viewer.locator(".layer.drawing")).toHaveCount(0);
  await seek(viewer, 5.4);
  await expect(viewer.locator(".film .layer.drawing")).toHaveCount(1);
  await saveScreenshots(viewer, "markup-frame");
  await seek(viewer, 8);
  await expect(viewer.locator(".layer.drawing")).toHaveCount(0);
  await viewer.locator(".threads .chip").click();
  await expect(viewer.locator(".film .layer.drawing")).toHaveCount(1);
  // The drawing covers the video exactly.
  const [film, drawing] = await Promise.all(
    [".film video", ".film .layer.drawing"].map((place) =>
      viewer.locator(place).first().boundingBox(),
    ),
  );
  expect([drawing!.x, drawing!.y, drawing!.width, drawing!.height].map(Math.round)).toEqual(
    [film!.x, film!.y, film!.width, film!.height].map(Math.round),
  );
});

test("a drawing survives a failed send and a reload, and undoing the comment restores the drawing", async ({
  browser,
  page,
  hearback,
}) => {
  const [nell, nick] = await hearback.addPeople("Nell Never", "Nick Never");
  await signIn(page, nell!);
  const { id } = await postUpdate(
    page,
    { title: "Kept", audience: nick!.email },
    { ...pngFile, buffer: await paintImage(page, 640, 400, "#ffffff") },
  );
  const viewer = await openSignedInPage(browser, hearback, nick!);
  const editor = new Editor(viewer);
  await viewer.goto(`/updates/${id}`);
  await viewer.getByRole("button", { name: "Draw on what is shown" }).click();
  await editor.waitUntilOpen();
  await editor.pickTool("r");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.finish("Add");
  await viewer.locator("#body").fill("Here");

  await viewer.route("**/comments", (route) => route.abort(), { times: 1 });
  await viewer.keyboard.press("Control+Enter");
  await expect(viewer.locator(".failed")).toBeVisible();
  await expect(viewer.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await viewer.reload();
  await expect(viewer.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await expect(viewer.locator("#body")).toHaveValue("Here");
  await expect(viewer.locator(".layer.drawing")).toHaveCount(1);

  await viewer
    .locator(".drawing-chip")
    .getByRole("button", { name: /^Drawing/ })
    .click();
  await editor.waitUntilOpen();
  await editor.pickTool("l");
  await editor.drag([0.1, 0.8], [0.9, 0.8]);
  await editor.finish("Add");
  await expect(viewer.locator(".drawing-chip")).toContainText("Drawing, 2 marks");
  await viewer.locator("#body").press("Control+Enter");
  await expect(viewer.locator(".threads .comment")).toHaveCount(1);
  await expect(viewer.locator(".drawing-chip")).toHaveCount(0);
  await viewer.getByRole("button", { name: "Undo" }).click();
  await expect(viewer.locator(".drawing-chip")).toContainText("Drawing, 2 marks");
  await expect(viewer.locator(".threads .comment")).toHaveCount(0);
  await viewer.getByRole("button", { name: "Remove the drawing" }).click();
  await expect(viewer.locator(".drawing-chip")).toHaveCount(0);
  await expect(viewer.locator("#body")).toHaveValue("Here");
});

test("a drawing must be redone if its picture is cropped before the comment is sent", async ({
  browser,
  page,
  hearback,
}) => {
  const [carl, cleo] = await hearback.addPeople("Carl Crop", "Cleo Crop");
  await signIn(page, carl!);
  const { id, media } = await postUpdate(
    page,
    { title: "Smaller", audience: cleo!.email },
    { ...pngFile, buffer: await paintImage(page, 640, 400, "#ffffff") },
  );
  const crop = async (revision: number) => {
    expect(
      (
        await page.request.put(`/media/${media[0]}/markup`, {
          headers: apiHeaders,
          data: { revision, shapes: [], crop: [0, 0, 0.5, 0.5] },
        })
      ).status(),
    ).toBe(200);
    await expect
      .poll(async () => (await fetchMedia(page, media[0]!)).state, { timeout: 30_000 })
      .toBe("ready");
  };
  const viewer = await openSignedInPage(browser, hearback, cleo!);
  const errors: string[] = [];
  for (const watched of [page, viewer])
    watched.on("response", (response) => {
      if (response.status() >= 400) errors.push(`${response.status()} ${response.url()}`);
    });
  await page.goto(`/updates/${id}`);
  const editor = new Editor(viewer);
  await viewer.goto(`/updates/${id}`);
  await viewer.locator("#body").fill("My words");
  await viewer.getByRole("button", { name: "Draw on what is shown" }).click();
  await editor.waitUntilOpen();
  await editor.pickTool("r");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await crop(0);
  await editor.dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(viewer.getByText("This picture was cropped elsewhere")).toBeVisible();
  await viewer.getByRole("dialog").last().getByRole("button", { name: "Draw again" }).click();
  await expect(editor.dialog.locator(".markup-shapes")).toHaveAttribute("viewBox", "0 0 320 200");
  await expect(editor.dialog.locator(".markup-shapes rect")).toHaveCount(0);
  await editor.pickTool("e");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.finish("Add");
  await expect(viewer.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await expect(viewer.locator(".stage .tool.scale")).toHaveText(/^[1-9]\d*%$/);

  // Crop again before the comment is sent.
  const { revision } = await fetchMarkup(page, media[0]!);
  await crop(revision);
  await viewer.locator("#body").press("Control+Enter");
  await viewer.getByRole("dialog").last().getByRole("button", { name: "Cancel" }).click();
  await expect(viewer.locator(".failed")).toContainText("Not sent");
  await viewer.locator("#body").press("Control+Enter");
  await viewer.getByRole("dialog").last().getByRole("button", { name: "Draw again" }).click();
  await expect(editor.dialog.locator(".markup-shapes")).toHaveAttribute("viewBox", "0 0 160 100");
  await editor.pickTool("e");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.finish("Add");
  await expect(viewer.locator("#body")).toHaveValue("My words");
  await viewer.locator("#body").press("Control+Enter");
  await expect(viewer.locator(".threads .comment")).toContainText("with a drawing");
  // While no editor is open, the pages of the author and the viewer show a new crop without a reload.
  await crop((await fetchMarkup(page, media[0]!)).revision);
  for (const watched of [page, viewer]) {
    await expect(watched.locator(".sheet > img")).toHaveAttribute("width", "80");
    await expect(watched.locator(".stage .tool.scale")).toHaveText(/^[1-9]\d*%$/);
  }
  expect(errors).toEqual([]);
});

test("a guest can draw in a comment", async ({ browser, page, hearback }) => {
  const [gala] = await hearback.addPeople("Gala Guests");
  await signIn(page, gala!);
  const { id } = await postUpdate(
    page,
    { title: "For a guest" },
    { ...pngFile, buffer: await paintImage(page, 640, 400, "#ffffff") },
  );
  const link = (await (
    await page.request.post(`/updates/${id}/links`, {
      headers: apiHeaders,
      data: { name: "Printer", comments: true },
    })
  ).json()) as { url: string };
  const guest = await (await browser.newContext({ baseURL: hearback.url })).newPage();
  await guest.goto(link.url);
  const editor = new Editor(guest);
  await guest.getByRole("button", { name: "Draw on what is shown" }).click();
  await editor.waitUntilOpen();
  await editor.pickTool("a");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.finish("Add");
  await guest.locator("#body").fill("This corner");
  await guest.keyboard.press("Control+Enter");
  await guest.getByRole("dialog").getByLabel("Your name").fill("Gus");
  await guest.getByRole("button", { name: "Continue" }).click();
  await expect(guest.locator(".threads .comment")).toContainText("with a drawing");
  await page.goto(`/updates/${id}`);
  await page.locator(".threads .chip").click();
  await expect(page.locator(".layer.drawing polygon, .layer.drawing path").first()).toBeAttached();
});
