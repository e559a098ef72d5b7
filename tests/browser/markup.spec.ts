// Marks on pictures: from a capture, a paste, a drop or a picture of an update to the editor in one step; what is redacted is gone;
// what is drawn can be changed, hidden, read aloud, and answered with a drawing.
import { readFile } from "node:fs/promises";
import {
  drop,
  Editor,
  layer,
  painted,
  paste,
  plain,
  pngs,
  post,
  secrets,
  secretsOf,
  tap,
  told,
} from "./markup.ts";
import { asProgram } from "./scene.ts";
import { studio } from "./studio.ts";
import { axe, expect, fixture, pictures, signIn, someone, test, type Page } from "./test.ts";

/** The bytes of a stored form of a picture, as its author gets them; asked again where a drawn one took its place just then. */
async function bytes(page: Page, media: string, name: string): Promise<Buffer> {
  let body: Buffer = Buffer.alloc(0);
  await expect(async () => {
    const { pathname, search } = new URL(
      (await told(page, media)).renditions.find((one) => one.name === name)!.url,
    );
    const answer = await page.request.get(pathname + search);
    expect(answer.status(), name).toBe(200);
    body = await answer.body();
  }).toPass({ timeout: 20_000 });
  return body;
}

const item = (page: Page) => page.locator('#media-list [data-media][data-state="ready"]');
const arriving = (page: Page) => page.locator(".media-list.arriving .media-item");
const kinds = async (page: Page, media: string) =>
  (await layer(page, media)).shapes.map(({ kind }) => kind);
const idOf = async (page: Page) => (await item(page).first().getAttribute("data-media"))!;

test("a capture is marked with every tool, redacted, saved, changed and sent; another answers with a drawing", async ({
  playwright,
  browser,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [mara, milo] = await hearback.people("Mara Mark", "Milo Mark");
  const line = await tap(hearback.url);
  const { page, close } = await studio(playwright, hearback, mara!, {}, "/updates/new", line.url);
  const editor = new Editor(page);
  // On the screen that is captured stands what nobody is to see.
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
  await editor.opened();
  await page.evaluate(() => document.getElementById("secret")!.remove());
  const before = await secretsOf(editor.dialog.locator("img").first());
  expect(before.secret, "the capture holds the secret").toBeGreaterThan(5000);

  const share = { left: 800 / 1280, top: 400 / 720, right: 960 / 1280, bottom: 480 / 720 };
  await editor.pick("a");
  await editor.drag([0.15, 0.15], [0.35, 0.3]);
  await editor.pick("l");
  await editor.drag([0.4, 0.15], [0.6, 0.15]);
  await editor.pick("r");
  await editor.drag([0.15, 0.4], [0.3, 0.55]);
  await editor.pick("e");
  await editor.drag([0.35, 0.4], [0.5, 0.55]);
  await editor.pick("f");
  await editor.drag([0.2, 0.7], [0.5, 0.8], 20);
  await editor.pick("h");
  await editor.drag([0.6, 0.2], [0.8, 0.3]);
  await editor.pick("t");
  await editor.click([0.2, 0.85]);
  await page.keyboard.type("Look here first");
  await page.keyboard.press("Escape");
  await editor.pick("n");
  await editor.click([0.95, 0.75]);
  await editor.click([0.7, 0.75]);
  await editor.click([0.8, 0.75]);
  await editor.pick("x");
  await editor.drag([share.left, share.top], [share.right, share.bottom]);
  await pictures(page, "markup-editor");
  await axe(page);
  // The first step is outside.
  await editor.pick("c");
  await editor.drag([0.1, 0.1], [0.9, 0.95]);
  await page.keyboard.press("Enter");
  await expect(editor.dialog.getByRole("status")).toHaveText(/^Cropped to \d+ by \d+ pixels$/);
  await editor.done("Add", "Add");

  await expect(item(page)).toHaveCount(1, { timeout: 30_000 });
  await expect(arriving(page)).toHaveCount(0);
  const media = await idOf(page);
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
  expect(await kinds(page, media)).toEqual(drawn);
  expect(
    (await layer(page, media)).shapes.flatMap(({ kind, number }) =>
      kind === "step" ? [number] : [],
    ),
  ).toEqual([1, 2]);
  // Nothing of the secret went over the line, nor lies on the server.
  const sent = pngs(line.heard());
  expect(sent.length).toBeGreaterThan(0);
  for (const picture of sent) expect((await secrets(page, picture)).secret, "sent").toBe(0);
  for (const { name } of (await told(page, media)).renditions)
    expect((await secrets(page, await bytes(page, media, name))).secret, name).toBe(0);
  const { width, height } = await told(page, media);
  expect([width, height]).toEqual([
    Math.round(before.width * 0.8),
    Math.round(before.height * 0.85),
  ]);

  // Another day: what was drawn is there, and can be changed.
  await page.reload();
  await page
    .getByRole("button", { name: /^Mark up/ })
    .first()
    .click();
  await editor.opened();
  await editor.pick("v");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Delete");
  await editor.pick("e");
  await editor.drag([0.55, 0.6], [0.65, 0.7]);
  await editor.done("Save");
  expect((await layer(page, media)).revision).toBe(2);
  expect(await kinds(page, media)).toEqual([...drawn.slice(1), "ellipse"]);
  // Drawn on the server meanwhile, the row shows it without another look.
  await expect
    .poll(
      async () => {
        const { renditions } = await told(page, media);
        const small = renditions.find(({ name }) => name === "thumbnail")?.url ?? "";
        const shown = await item(page).locator(".thumbnail img").getAttribute("src");
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

  // Who it is for sees the marks, reads them as a list, hides them.
  const other = await someone(browser, hearback, milo!);
  await other.goto(new URL(page.url()).pathname);
  await expect(other.locator(".stage .layer")).toBeVisible();
  const said = other.getByRole("list", { name: "Marks on Screenshot" }).getByRole("listitem");
  await expect(said).toHaveCount(drawn.length);
  await expect(said.filter({ hasText: "Text “Look here first”" })).toHaveCount(1);
  await expect(said.first()).toContainText(/^Line, red, from \d+ %, \d+ % to \d+ %, \d+ %$/);
  await pictures(other, "markup-update");
  await axe(other);
  await other.keyboard.press("m");
  await expect(other.locator(".stage .layer")).toBeHidden();
  await other.reload();
  await expect(other.getByRole("button", { name: "Marks", exact: true })).toHaveAttribute(
    "aria-pressed",
    "false",
  );
  await other.getByRole("button", { name: "Marks", exact: true }).click();
  await expect(other.locator(".stage .layer")).toBeVisible();

  // He answers on the picture.
  const his = new Editor(other);
  await other.keyboard.press("d");
  await his.opened();
  await expect(his.dialog.getByRole("button", { name: "Redact" })).toHaveCount(0);
  await expect(his.dialog.getByRole("button", { name: "Crop" })).toHaveCount(0);
  await his.pick("a");
  await his.drag([0.2, 0.8], [0.6, 0.5]);
  await his.done("Add");
  await expect(other.locator(".drawing-chip")).toContainText("Drawing, 1 mark");
  await expect(other.locator(".layer.drawing")).toHaveCount(1);
  await other.locator("#body").fill("Do you mean this one?");
  await pictures(other, "markup-drawing");
  await axe(other);
  await other.keyboard.press("Control+Enter");
  const comment = other.locator(".threads .comment");
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
  line.close();
});

test("one dropped picture is marked and stays what it is, several go as they are", async ({
  page,
  hearback,
}) => {
  const [dora] = await hearback.people("Dora Drop");
  await signIn(page, dora!);
  await page.goto("/updates/new");
  const editor = new Editor(page);
  const jpeg = await painted(page, 640, 480, "#dfe7ef", [320, 240, 160, 80], "image/jpeg");
  expect((await secrets(page, jpeg)).secret).toBeGreaterThan(5000);
  await drop(page, [{ name: "photo.jpg", bytes: jpeg, type: "image/jpeg" }]);
  await editor.opened();
  await expect(arriving(page)).toContainText("Sent when you leave the editor");
  await editor.pick("x");
  await editor.drag([0.49, 0.49], [0.76, 0.68]);
  await editor.done("Add", "Add");
  await expect(item(page)).toHaveCount(1);
  const media = await idOf(page);
  expect((await told(page, media)).renditions.find(({ name }) => name === "original")!.type).toBe(
    "image/jpeg",
  );
  expect((await secrets(page, await bytes(page, media, "original"))).secret).toBe(0);

  // Of a WebP whole blocks are shown black before, for so they are burned.
  await drop(page, [
    {
      name: "photo.webp",
      bytes: await painted(page, 640, 480, "#dfe7ef", [320, 240, 160, 80], "image/webp"),
      type: "image/webp",
    },
  ]);
  await editor.opened();
  await editor.pick("x");
  await editor.drag([0.49, 0.49], [0.76, 0.68]);
  const black = editor.dialog.locator(".markup-shapes rect");
  const box = await black.evaluate((rect) =>
    ["x", "y", "width", "height"].map((name) => Number(rect.getAttribute(name))),
  );
  expect(box.map((side) => side % 16)).toEqual([0, 0, 0, 0]);
  expect(box[2]).toBeGreaterThan(160);
  await editor.done("Add", "Add");
  await expect(item(page)).toHaveCount(2);
  expect(
    (
      await secrets(
        page,
        await bytes(page, (await item(page).nth(1).getAttribute("data-media"))!, "original"),
      )
    ).secret,
  ).toBe(0);

  // Without a mark it is added as it is.
  await paste(page, "image.png", await painted(page, 300, 200, "#ffffff"));
  await editor.opened();
  await editor.done("Add");
  await expect(item(page)).toHaveCount(3);

  // Several, or one that moves: nothing opens.
  await drop(page, [
    { name: "one.png", bytes: await painted(page, 300, 200, "#eeeeee"), type: "image/png" },
    { name: "two.png", bytes: await painted(page, 300, 200, "#dddddd"), type: "image/png" },
  ]);
  await expect(item(page)).toHaveCount(5);
  await drop(page, [
    { name: "moves.gif", bytes: await readFile(fixture("anim.gif")), type: "image/gif" },
  ]);
  await expect(item(page)).toHaveCount(6);
  await expect(editor.dialog).toHaveCount(0);
  await expect(page.getByRole("button", { name: /^Mark up/ })).toHaveCount(5);
});

test("who leaves the editor adds nothing, and is asked where there is work", async ({
  page,
  hearback,
}) => {
  const [lena] = await hearback.people("Lena Leave");
  await signIn(page, lena!);
  await page.goto("/updates/new");
  const editor = new Editor(page);
  const posted: string[] = [];
  page.on("request", (request) => {
    if (["POST", "PATCH", "PUT"].includes(request.method())) posted.push(request.url());
  });
  await paste(page, "image.png", await painted(page, 300, 200, "#ffffff"));
  await editor.opened();
  await editor.pick("r");
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
  await expect(arriving(page)).toHaveCount(0);
  await expect(page.locator("#announcements")).toContainText("is not added");
  expect(posted).toEqual([]);
  await expect(page).toHaveURL("/updates/new");
});

test("marks that the server does not take wait in their row, and Send waits for them", async ({
  page,
  hearback,
}) => {
  const [fred] = await hearback.people("Fred Fail");
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
  await paste(page, "image.png", await painted(page, 300, 200, "#ffffff"));
  await editor.opened();
  await editor.pick("r");
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await editor.done("Add");
  await expect(arriving(page)).toContainText(
    "The picture is here, what you drew on it is not saved. The server is not ready.",
  );
  await page.getByLabel("Title").fill("With a mark");
  await page.getByLabel("Title").press("Control+Enter");
  await expect(page.locator("#save-state")).toContainText("Not sent");
  await pictures(page, "markup-not-saved");
  await axe(page);
  refuse = false;
  await arriving(page).getByRole("button", { name: "Try again" }).click();
  await expect(arriving(page)).toHaveCount(0);
  expect(await kinds(page, await idOf(page))).toEqual(["rectangle"]);
  await page.getByLabel("Title").press("Control+Enter");
  await expect(page.locator(".stage .layer")).toBeVisible();
});

test("a picture can be marked up again before the page has shown the saved marks", async ({
  page,
  hearback,
}) => {
  const [tara] = await hearback.people("Tara Twice");
  await signIn(page, tara!);
  const { id } = await post(
    page,
    { title: "Twice" },
    { ...plain, buffer: await painted(page, 640, 400, "#ffffff") },
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
    await editor.opened();
    await editor.pick("r");
    await editor.drag([...box[0]], [...box[1]]);
    await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
    await expect(editor.dialog).toHaveCount(0);
  }
  answer();
  await expect(page.locator(".stage .layer rect")).toHaveCount(2);
  await expect(page.getByRole("button", { name: "Mark up" })).toBeFocused();
});

test("who saves second keeps the work, and says which one stays", async ({ page, hearback }) => {
  const [tess] = await hearback.people("Tess Two");
  await signIn(page, tess!);
  const { id, media } = await post(
    page,
    { title: "Two tabs" },
    { ...plain, buffer: await painted(page, 640, 400, "#ffffff") },
  );
  const elsewhere = async (revision: number, ...shapes: object[]) =>
    expect(
      (
        await page.request.put(`/media/${media[0]}/markup`, {
          headers: asProgram,
          data: { revision, shapes, crop: null },
        })
      ).status(),
    ).toBe(200);
  const editor = new Editor(page);
  await page.goto(`/updates/${id}`);
  const open = async () => {
    await page.getByRole("button", { name: "Mark up" }).click();
    await editor.opened();
    await editor.pick("r");
    await editor.drag([0.2, 0.2], [0.6, 0.6]);
  };
  await open();
  await elsewhere(0, { kind: "line", from: [0.1, 0.1], to: [0.9, 0.1] });
  await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(
    page.getByText("The marks of this picture were changed elsewhere meanwhile."),
  ).toBeVisible();
  await pictures(page, "markup-conflict");
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
  expect(await kinds(page, media[0]!)).toEqual(["rectangle"]);
  // Live, without another look.
  await expect(page.locator(".stage .layer rect")).toHaveCount(1);

  await open();
  await elsewhere(2, { kind: "ellipse", box: [0.1, 0.1, 0.2, 0.2] });
  await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page
    .getByRole("dialog")
    .last()
    .getByRole("button", { name: "Load the other version" })
    .click();
  await editor.opened();
  await expect(editor.dialog.locator(".markup-shapes ellipse")).toHaveCount(1);
  await expect(editor.dialog.locator(".markup-shapes rect")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await expect(editor.dialog).toHaveCount(0);
  expect(await kinds(page, media[0]!)).toEqual(["ellipse"]);
});

test("redacted after it was sent: gone from every address at once, and who answered is asked again", async ({
  browser,
  page,
  hearback,
}) => {
  const [rita, rob] = await hearback.people("Rita Redact", "Rob Redact");
  await signIn(page, rita!);
  const secret = await painted(page, 800, 500, "#ffffff", [400, 250, 200, 100]);
  const { id, media } = await post(
    page,
    { title: "A slip", audience: rob!.email, expectation: "acknowledge" },
    { ...plain, buffer: secret },
  );
  const reader = await someone(browser, hearback, rob!);
  await reader.goto(`/updates/${id}`);
  await reader.getByRole("button", { name: "Got it" }).click();
  await expect(reader.getByText("You got it", { exact: true })).toBeVisible();
  const before = await reader
    .locator(".sheet > img")
    .evaluate((image: HTMLImageElement) => image.src);
  expect(
    (await secrets(page, await (await reader.request.get(before)).body())).secret,
  ).toBeGreaterThan(15_000);

  await page.goto(`/updates/${id}`);
  const editor = new Editor(page);
  await page.getByRole("button", { name: "Mark up" }).click();
  await editor.opened();
  await editor.pick("x");
  await editor.drag([0.5, 0.5], [0.75, 0.7]);
  await editor.dialog.getByRole("button", { name: "Save", exact: true }).click();
  const ask = page.getByRole("dialog").last();
  await expect(ask.locator(".words")).toHaveText(
    "What is black is gone for good. Who answered is asked again.",
  );
  await expect(ask.getByLabel("Ask 1 person again")).toBeChecked();
  await ask.getByLabel("What changed").fill("A number is gone.");
  await pictures(page, "markup-final");
  await axe(page);
  await ask.getByRole("button", { name: "Save" }).click();
  await expect(editor.dialog).toHaveCount(0, { timeout: 30_000 });

  await expect(page.getByRole("button", { name: "Mark up", exact: true })).toBeFocused({
    timeout: 30_000,
  });
  expect((await reader.request.get(before)).status()).toBe(404);
  await expect
    .poll(async () => (await told(page, media[0]!)).state, { timeout: 30_000 })
    .toBe("ready");
  for (const { name } of (await told(page, media[0]!)).renditions)
    expect((await secrets(page, await bytes(page, media[0]!, name))).secret, name).toBe(0);
  await expect(reader.getByText("A number is gone.").first()).toBeVisible();
  await expect
    .poll(() => reader.locator(".sheet > img").evaluate((image: HTMLImageElement) => image.src))
    .not.toBe(before);
  await expect(reader.getByRole("button", { name: "Got it" })).toBeVisible();
});

test("by keys alone: marked, said what was done, saved, drawn on in a comment", async ({
  page,
  hearback,
}) => {
  const [kay] = await hearback.people("Kay Keys");
  await signIn(page, kay!);
  const { id, media } = await post(
    page,
    { title: "No hand on the mouse" },
    { ...plain, buffer: await painted(page, 640, 400, "#ffffff") },
  );
  await page.goto(`/updates/${id}`);
  const editor = new Editor(page);
  const keys = async (...all: string[]) => {
    for (const key of all) await page.keyboard.press(key);
  };
  await page.getByRole("button", { name: "Mark up" }).focus();
  await keys("Enter");
  await editor.opened();
  const said = editor.dialog.getByRole("status");
  await keys("Control+c");
  await expect(said).toContainText(/copied/i);
  // A longer row of tools than the screen fades at its end.
  const tools = editor.dialog.getByRole("toolbar");
  await page.setViewportSize({ width: 380, height: 700 });
  await expect(tools).toHaveAttribute("data-more");
  await tools.evaluate((row) => row.scrollTo(1e4, 0));
  await expect(tools).not.toHaveAttribute("data-more");
  await page.setViewportSize({ width: 1280, height: 720 });
  await keys("r", "Enter");
  await expect(said).toContainText("Rectangle, red");
  await keys("ArrowRight", "Shift+ArrowDown", "5");
  await keys("n", "Enter");
  await expect(said).toContainText("Step 1");
  await keys("t", "Enter");
  await page.keyboard.type("By keys");
  await keys("Escape");
  await expect(said).toContainText("Text “By keys”");
  await keys("Control+z", "Control+Shift+z");
  // What the font lacks is left out and named; the rest stays.
  await keys("t", "Enter");
  await page.keyboard.insertText("Hello 鍵 world");
  await expect(said).toContainText("“鍵” is not among the letters");
  await expect(editor.dialog.getByRole("textbox", { name: "Text" })).toHaveValue("Hello  world");
  // Ends the text and saves.
  await keys("Control+Enter");
  await expect(editor.dialog).toHaveCount(0);
  const { shapes } = await layer(page, media[0]!);
  expect(shapes.map(({ kind, color }) => `${kind} ${String(color)}`)).toEqual([
    "rectangle blue",
    "step blue",
    "text blue",
    "text blue",
  ]);
  expect(shapes.at(-1)).toMatchObject({ text: "Hello  world" });
  // Back where one was.
  await expect(page.getByRole("button", { name: "Mark up" })).toBeFocused();
  await keys("d");
  await editor.opened();
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
  test("marks lie on the picture, and are a list", async ({ page, hearback, browser }) => {
    const [nora] = await hearback.people("Nora Noscript");
    // Pictures are painted by a script.
    const painter = await (await browser.newContext({ javaScriptEnabled: true })).newPage();
    const buffer = await painted(painter, 640, 400, "#ffffff");
    await signIn(page, nora!);
    const { id, media } = await post(page, { title: "Plain" }, { ...plain, buffer });
    expect(
      (
        await page.request.put(`/media/${media[0]}/markup`, {
          headers: asProgram,
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
