// Trimming a recording on its pages, by pointer and by keys.
import { readFile } from "node:fs/promises";
import { expect, fixture, look, person, signIn, test, type Page } from "./test.ts";
import { asProgram } from "./scene.ts";

const recording = async () => ({
  name: "count.webm",
  mimeType: "video/webm",
  buffer: await readFile(fixture("count.webm")),
});

/** An update with a recording of six seconds, by who is signed in; ready. */
async function post(
  page: Page,
  fields: Record<string, string>,
): Promise<{ id: string; media: string }> {
  const made = await page.request.post("/updates", {
    headers: asProgram,
    multipart: { title: "Six seconds", publish: "true", ...fields, media: await recording() },
  });
  expect(made.status(), await made.text()).toBe(201);
  const { id, media } = (await made.json()) as { id: string; media: { id: string }[] };
  await ready(page, media[0]!.id);
  return { id, media: media[0]!.id };
}

type Media = {
  state: string;
  duration_ms: number;
  trim?: { from_ms: number; to_ms: number };
  renditions: { name: string }[];
};

async function told(page: Page, media: string): Promise<Media> {
  return (await (
    await page.request.get(`/media/${media}`, { headers: asProgram })
  ).json()) as Media;
}

async function ready(page: Page, media: string): Promise<void> {
  await expect.poll(async () => (await told(page, media)).state, { timeout: 30_000 }).toBe("ready");
}

test("an author trims both ends, and others see only what is between", async ({
  page,
  hearback,
  browser,
}) => {
  const [tia, tom] = await hearback.people("Tia Trim", "Tom Trim");
  await signIn(page, tia!);
  const { id, media } = await post(page, { audience: tom!.email, expectation: "acknowledge" });
  const other = await (await browser.newContext({ baseURL: hearback.url })).newPage();
  await signIn(other, tom!);
  await other.goto(`/updates/${id}`);
  await other.getByRole("button", { name: "Got it" }).click();
  await expect(other.locator(".stage video")).toHaveAttribute("data-duration", /^6\d\d\d$/);

  // From the update page to the place where it is trimmed.
  await page.goto(`/updates/${id}`);
  await page.getByLabel("More").click();
  await page.getByRole("link", { name: "Trim count.webm" }).click();
  const editor = page.locator("trim-editor");
  const [start, end] = [
    editor.getByRole("slider", { name: "Start" }),
    editor.getByRole("slider", { name: "End" }),
  ];
  await expect(start).toBeVisible();
  await expect
    .poll(() => editor.locator("video").evaluate((video: HTMLVideoElement) => video.readyState))
    .toBeGreaterThan(1);

  // By keys: a tenth of a second, with shift a whole one.
  await start.focus();
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(start).toHaveAttribute("aria-valuenow", "2100");
  await expect(editor.getByRole("textbox", { name: "Start" })).toHaveValue("0:02.1");
  await page.keyboard.press("ArrowLeft");
  // By typing, and by the moment that is shown.
  await editor.getByRole("textbox", { name: "End" }).fill("0:05");
  await expect(end).toHaveAttribute("aria-valuenow", "5000");
  await editor.locator("video").evaluate((video: HTMLVideoElement) => (video.currentTime = 4.5));
  await editor.getByRole("button", { name: "End here" }).click();
  await expect(end).toHaveAttribute("aria-valuenow", "4500");
  // By the pointer.
  const strip = (await editor.locator(".trim-strip").boundingBox())!;
  const grip = (await end.boundingBox())!;
  await page.mouse.move(grip.x + grip.width / 2, grip.y + grip.height / 2);
  await page.mouse.down();
  await page.mouse.move(strip.x + (strip.width * 4) / 6.014, strip.y + strip.height / 2, {
    steps: 5,
  });
  await page.mouse.up();
  expect(Math.abs(Number(await end.getAttribute("aria-valuenow")) - 4000)).toBeLessThan(30);
  await editor.getByRole("textbox", { name: "End" }).fill("0:04");

  // It plays what stays, and stops there.
  await editor.locator("video").evaluate((video: HTMLVideoElement) => {
    video.muted = true;
    video.currentTime = 0;
  });
  await editor.getByRole("button", { name: "Play" }).click();
  await expect(editor.getByRole("button", { name: "Pause" })).toBeVisible();
  await expect(editor.getByRole("button", { name: "Play" })).toBeVisible();
  const stopped = await editor
    .locator("video")
    .evaluate((video: HTMLVideoElement) => video.currentTime);
  expect(stopped).toBeGreaterThan(3.9);
  expect(stopped).toBeLessThan(4.1);
  await expect(editor.getByLabel("Ask 1 person again about the trim")).toBeChecked();
  // The other one on this page is about the words.
  await expect(page.getByLabel("Ask 1 person again", { exact: true })).not.toBeChecked();
  await editor.getByLabel("What changed").fill("Only the middle");
  await look(page, "trim-editor");

  // Somebody watches meanwhile, so slowly that it lasts.
  const theirs = other.locator(".stage video");
  await theirs.evaluate((video: HTMLVideoElement) => {
    Object.assign(video, { muted: true, currentTime: 2.5, playbackRate: 0.1 });
    return video.play();
  });
  await other.locator("update-stage").evaluate((stage) => {
    const said: string[] = [];
    Object.assign(window, { said });
    new MutationObserver(() => said.push(stage.textContent ?? "")).observe(stage, {
      childList: true,
      subtree: true,
    });
  });

  await editor.getByRole("button", { name: "Save the trim" }).click();
  await expect(start).toBeHidden();
  await expect
    .poll(async () => (await told(page, media)).trim)
    .toEqual({ from_ms: 2000, to_ms: 4000 });
  await ready(page, media);
  // The other page followed by itself.
  await expect(other.locator(".stage video")).toHaveAttribute("data-duration", "2000");
  await expect
    .poll(() => other.locator(".stage video").evaluate((video: HTMLVideoElement) => video.duration))
    .toBeLessThan(2.1);
  // They were told why there was nothing to see, and watch on where they were: half a second after the new beginning.
  expect(
    await other.evaluate(() => (window as unknown as { said: string[] }).said.join()),
  ).toContain("Being trimmed");
  await expect
    .poll(() => theirs.evaluate((video: HTMLVideoElement) => video.currentTime))
    .toBeGreaterThan(0.5);
  expect(
    await theirs.evaluate((video: HTMLVideoElement) => [
      video.paused,
      video.muted,
      video.playbackRate,
      video.currentTime < 1.6,
    ]),
  ).toEqual([false, true, 0.1, true]);
  await expect(other.getByText("Only the middle").first()).toBeVisible();
  await expect(other.getByRole("button", { name: "Got it" })).toBeVisible();

  // Taken back.
  await page.getByText("Trim count.webm").click();
  await expect(editor.getByText("It plays from 0:02.0 to 0:04.0 of the recording.")).toBeVisible();
  await look(page, "trimmed");
  await editor.getByRole("button", { name: "Back to the whole" }).click();
  await expect.poll(async () => (await told(page, media)).trim).toBeUndefined();
  await ready(page, media);
  await expect(other.locator(".stage video")).toHaveAttribute("data-duration", /^6\d\d\d$/);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });
  test("two times are typed", async ({ page, hearback }) => {
    const [una] = await hearback.people(person("Una Trim"));
    await signIn(page, una!);
    const { id, media } = await post(page, { publish: "false" });
    await page.goto(`/updates/${id}/edit`);
    await page.getByText("Trim count.webm").click();
    await page.getByRole("textbox", { name: "Start" }).fill("1.5");
    await page.getByRole("textbox", { name: "End" }).fill("0:04");
    await page.getByRole("button", { name: "Save the trim" }).click();
    await expect(page).toHaveURL(`/updates/${id}/edit`);
    expect((await told(page, media)).trim).toEqual({ from_ms: 1500, to_ms: 4000 });
  });
});
