// Drawing on what a comment is about, and on a frame of a video: what is drawn shows when its comment is chosen or its second is reached, and is
// never lost.
import { readFile } from "node:fs/promises";
import { Editor, layer, painted, plain, post, told } from "./markup.ts";
import { asProgram } from "./scene.ts";
import { expect, fixture, pictures, signIn, someone, test, type Page } from "./test.ts";

test("a frame of a video becomes a picture, and is drawn on in a comment that shows at its second", async ({
  browser,
  page,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [vera, vito] = await hearback.people("Vera Video", "Vito Video");
  await signIn(page, vera!);
  const { id } = await post(
    page,
    { title: "Ten seconds", audience: vito!.email },
    {
      name: "flow.webm",
      mimeType: "video/webm",
      buffer: await readFile(fixture("rec-vp9-opus-10s.webm")),
    },
  );
  const at = async (who: Page, seconds: number) => {
    const video = who.locator(".stage video, .media-item video").first();
    await expect
      .poll(() => video.evaluate((video: HTMLVideoElement) => video.readyState))
      .toBeGreaterThan(0);
    await video.evaluate((video: HTMLVideoElement, seconds) => {
      video.currentTime = seconds;
    }, seconds);
  };

  // From the page of the update.
  const editor = new Editor(page);
  await page.goto(`/updates/${id}`);
  await at(page, 4);
  await page.getByRole("button", { name: "Mark up this frame" }).click();
  await editor.opened();
  await editor.pick("e");
  await editor.drag([0.3, 0.3], [0.6, 0.6]);
  await editor.done("Add");
  await expect(page.locator(".strip a")).toHaveCount(2);
  await expect(page.locator(".medium.shown .layer ellipse")).toHaveCount(1);
  await expect(page.locator(".medium.shown img")).toHaveAttribute("alt", "flow at 0.04.png");
  await expect(page.locator(".medium.shown .viewport")).toBeFocused();
  // And from where it is edited, by the queue.
  await page.goto(`/updates/${id}/edit`);
  await at(page, 6);
  await page.getByRole("button", { name: /^Mark up this frame/ }).click();
  await editor.opened();
  await editor.done("Add");
  await expect(page.locator("#media-list [data-media]")).toHaveCount(3);

  const other = await someone(browser, hearback, vito!);
  const his = new Editor(other);
  await other.goto(`/updates/${id}`);
  await expect(other.getByRole("button", { name: "Mark up this frame" })).toHaveCount(0);
  await at(other, 5);
  await other.keyboard.press("d");
  await his.opened();
  await his.pick("a");
  await his.drag([0.2, 0.2], [0.7, 0.7]);
  await his.done("Add");
  await expect(other.locator(".composer-anchor")).toContainText("at 0:05");
  // A drawing alone says something.
  await other
    .locator(".main-composer")
    .getByRole("button", { name: "Comment", exact: true })
    .click();
  await expect(other.locator(".threads .comment .chip")).toContainText("0:05");
  await other.reload();
  await expect(other.locator(".layer.drawing")).toHaveCount(0);
  await at(other, 5.4);
  await expect(other.locator(".film .layer.drawing")).toHaveCount(1);
  await pictures(other, "markup-frame");
  await at(other, 8);
  await expect(other.locator(".layer.drawing")).toHaveCount(0);
  await other.locator(".threads .chip").click();
  await expect(other.locator(".film .layer.drawing")).toHaveCount(1);
  // It lies on the picture of the video, wherever that lies in its box.
  const [film, drawing] = await Promise.all(
    [".film video", ".film .layer.drawing"].map((place) =>
      other.locator(place).first().boundingBox(),
    ),
  );
  expect([drawing!.x, drawing!.y, drawing!.width, drawing!.height].map(Math.round)).toEqual(
    [film!.x, film!.y, film!.width, film!.height].map(Math.round),
  );
});

test("a drawing is not lost: not by a failed send, a reload, nor by sending", async ({
  browser,
  page,
  hearback,
}) => {
  const [nell, nick] = await hearback.people("Nell Never", "Nick Never");
  await signIn(page, nell!);
  const { id } = await post(
    page,
    { title: "Kept", audience: nick!.email },
    { ...plain, buffer: await painted(page, 640, 400, "#ffffff") },
  );
  const other = await someone(browser, hearback, nick!);
  const editor = new Editor(other);
  await other.goto(`/updates/${id}`);
  await other.getByRole("button", { name: "Draw on what is shown" }).click();
  await editor.opened();
  await editor.pick("r");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.done("Add");
  await other.locator("#body").fill("Here");

  await other.route("**/comments", (route) => route.abort(), { times: 1 });
  await other.keyboard.press("Control+Enter");
  await expect(other.locator(".failed")).toBeVisible();
  await expect(other.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await other.reload();
  await expect(other.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await expect(other.locator("#body")).toHaveValue("Here");
  await expect(other.locator(".layer.drawing")).toHaveCount(1);

  // It can be drawn on again.
  await other
    .locator(".drawing-chip")
    .getByRole("button", { name: /^Drawing/ })
    .click();
  await editor.opened();
  await editor.pick("l");
  await editor.drag([0.1, 0.8], [0.9, 0.8]);
  await editor.done("Add");
  await expect(other.locator(".drawing-chip")).toContainText("Drawing, 2 marks");
  await other.locator("#body").press("Control+Enter");
  await expect(other.locator(".threads .comment")).toHaveCount(1);
  await expect(other.locator(".drawing-chip")).toHaveCount(0);
  await other.getByRole("button", { name: "Undo" }).click();
  await expect(other.locator(".drawing-chip")).toContainText("Drawing, 2 marks");
  await expect(other.locator(".threads .comment")).toHaveCount(0);
  await other.getByRole("button", { name: "Without the drawing" }).click();
  await expect(other.locator(".drawing-chip")).toHaveCount(0);
  await expect(other.locator("#body")).toHaveValue("Here");
});

test("a picture that is cropped while somebody draws on it is drawn on again", async ({
  browser,
  page,
  hearback,
}) => {
  const [carl, cleo] = await hearback.people("Carl Crop", "Cleo Crop");
  await signIn(page, carl!);
  const { id, media } = await post(
    page,
    { title: "Smaller", audience: cleo!.email },
    { ...plain, buffer: await painted(page, 640, 400, "#ffffff") },
  );
  const crop = async (revision: number) => {
    expect(
      (
        await page.request.put(`/media/${media[0]}/markup`, {
          headers: asProgram,
          data: { revision, shapes: [], crop: [0, 0, 0.5, 0.5] },
        })
      ).status(),
    ).toBe(200);
    await expect
      .poll(async () => (await told(page, media[0]!)).state, { timeout: 30_000 })
      .toBe("ready");
  };
  const other = await someone(browser, hearback, cleo!);
  const errors: string[] = [];
  for (const one of [page, other])
    one.on("response", (answer) => {
      if (answer.status() >= 400) errors.push(`${answer.status()} ${answer.url()}`);
    });
  await page.goto(`/updates/${id}`);
  const editor = new Editor(other);
  await other.goto(`/updates/${id}`);
  await other.locator("#body").fill("My words");
  await other.getByRole("button", { name: "Draw on what is shown" }).click();
  await editor.opened();
  await editor.pick("r");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await crop(0);
  await editor.dialog.getByRole("button", { name: "Add", exact: true }).click();
  await expect(other.getByText("This picture was cropped elsewhere meanwhile")).toBeVisible();
  await other.getByRole("dialog").last().getByRole("button", { name: "Draw again" }).click();
  await expect(editor.dialog.locator(".markup-shapes")).toHaveAttribute("viewBox", "0 0 320 200");
  await expect(editor.dialog.locator(".markup-shapes rect")).toHaveCount(0);
  await editor.pick("e");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.done("Add");
  await expect(other.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await expect(other.locator(".stage .tool.scale")).toHaveText(/^[1-9]\d* %$/);

  // Again before it is sent.
  const { revision } = await layer(page, media[0]!);
  await crop(revision);
  await other.locator("#body").press("Control+Enter");
  await other.getByRole("dialog").last().getByRole("button", { name: "Cancel" }).click();
  await expect(other.locator(".failed")).toContainText("Not sent");
  await other.locator("#body").press("Control+Enter");
  await other.getByRole("dialog").last().getByRole("button", { name: "Draw again" }).click();
  await expect(editor.dialog.locator(".markup-shapes")).toHaveAttribute("viewBox", "0 0 160 100");
  await editor.pick("e");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.done("Add");
  await expect(other.locator("#body")).toHaveValue("My words");
  await other.locator("#body").press("Control+Enter");
  await expect(other.locator(".threads .comment")).toContainText("with a drawing");
  // Live, with nothing open.
  await crop((await layer(page, media[0]!)).revision);
  for (const one of [page, other]) {
    await expect(one.locator(".sheet > img")).toHaveAttribute("width", "80");
    await expect(one.locator(".stage .tool.scale")).toHaveText(/^[1-9]\d* %$/);
  }
  expect(errors).toEqual([]);
});

test("a guest draws, too", async ({ browser, page, hearback }) => {
  const [gala] = await hearback.people("Gala Guests");
  await signIn(page, gala!);
  const { id } = await post(
    page,
    { title: "For a guest" },
    { ...plain, buffer: await painted(page, 640, 400, "#ffffff") },
  );
  const link = (await (
    await page.request.post(`/updates/${id}/links`, {
      headers: asProgram,
      data: { name: "Printer", comments: true },
    })
  ).json()) as { url: string };
  const guest = await (await browser.newContext({ baseURL: hearback.url })).newPage();
  await guest.goto(link.url);
  const editor = new Editor(guest);
  await guest.getByRole("button", { name: "Draw on what is shown" }).click();
  await editor.opened();
  await editor.pick("a");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.done("Add");
  await guest.locator("#guest-name").fill("Gus");
  await guest.locator("#body").fill("This corner");
  await guest.keyboard.press("Control+Enter");
  await expect(guest.locator(".threads .comment")).toContainText("with a drawing");
  await page.goto(`/updates/${id}`);
  await page.locator(".threads .chip").click();
  await expect(page.locator(".layer.drawing polygon, .layer.drawing path").first()).toBeAttached();
});
