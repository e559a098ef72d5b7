// Trimming a recording with the mouse, with keys and without scripts.
import { readFile } from "node:fs/promises";
import { expect, fixture, checkPage, person, signIn, test, type Page } from "./test.ts";
import { apiHeaders } from "./scene.ts";

const videoFile = async () => ({
  name: "count.webm",
  mimeType: "video/webm",
  buffer: await readFile(fixture("count.webm")),
});

/** Creates an update with a six-second video, and waits until the video is ready. */
async function postVideo(
  page: Page,
  fields: Record<string, string>,
): Promise<{ id: string; media: string }> {
  const response = await page.request.post("/updates", {
    headers: apiHeaders,
    multipart: { title: "Six seconds", publish: "true", ...fields, media: await videoFile() },
  });
  expect(response.status(), await response.text()).toBe(201);
  const { id, media } = (await response.json()) as { id: string; media: { id: string }[] };
  await waitUntilReady(page, media[0]!.id);
  return { id, media: media[0]!.id };
}

type Media = {
  state: string;
  duration_ms: number;
  trim?: { from_ms: number; to_ms: number };
  renditions: { name: string }[];
};

async function fetchMedia(page: Page, media: string): Promise<Media> {
  return (await (
    await page.request.get(`/media/${media}`, { headers: apiHeaders })
  ).json()) as Media;
}

async function waitUntilReady(page: Page, media: string): Promise<void> {
  await expect
    .poll(async () => (await fetchMedia(page, media)).state, { timeout: 30_000 })
    .toBe("ready");
}

test("an author trims both ends, and viewers see only the middle", async ({
  page,
  hearback,
  browser,
}) => {
  const [tia, tom] = await hearback.addPeople("Tia Trim", "Tom Trim");
  await signIn(page, tia!);
  const { id, media } = await postVideo(page, { audience: tom!.email, expectation: "acknowledge" });
  const viewer = await (await browser.newContext({ baseURL: hearback.url })).newPage();
  await signIn(viewer, tom!);
  await viewer.goto(`/updates/${id}`);
  await viewer.getByRole("button", { name: "Got it" }).click();
  await expect(viewer.locator(".stage video")).toHaveAttribute("data-duration", /^6\d\d\d$/);

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

  // Arrow keys move a handle by a tenth of a second, or by a second with Shift.
  await start.focus();
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(start).toHaveAttribute("aria-valuenow", "2100");
  await expect(editor.getByRole("textbox", { name: "Start" })).toHaveValue("0:02.1");
  await page.keyboard.press("ArrowLeft");
  await editor.getByRole("textbox", { name: "End" }).fill("0:05");
  await expect(end).toHaveAttribute("aria-valuenow", "5000");
  await editor.locator("video").evaluate((video: HTMLVideoElement) => (video.currentTime = 4.5));
  await editor.getByRole("button", { name: "End here" }).click();
  await expect(end).toHaveAttribute("aria-valuenow", "4500");
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

  // The preview plays the selected part and stops at its end.
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
  // The page has another checkbox, which is for changes to the text. It must remain unchecked.
  await expect(page.getByLabel("Ask 1 person again", { exact: true })).not.toBeChecked();
  await editor.getByLabel("What changed").fill("Only the middle");
  await checkPage(page, "trim-editor");

  // A viewer is watching during the trim. The video plays at a tenth of its normal speed, so that it does not end.
  const viewerVideo = viewer.locator(".stage video");
  await viewerVideo.evaluate((video: HTMLVideoElement) => {
    Object.assign(video, { muted: true, currentTime: 2.5, playbackRate: 0.1 });
    return video.play();
  });
  await viewer.locator("update-stage").evaluate((stage) => {
    const stageTexts: string[] = [];
    Object.assign(window, { stageTexts });
    new MutationObserver(() => stageTexts.push(stage.textContent ?? "")).observe(stage, {
      childList: true,
      subtree: true,
    });
  });

  await editor.getByRole("button", { name: "Save trim" }).click();
  await expect(start).toBeHidden();
  await expect
    .poll(async () => (await fetchMedia(page, media)).trim)
    .toEqual({ from_ms: 2000, to_ms: 4000 });
  await waitUntilReady(page, media);
  // The viewer's page switches to the trimmed recording without a reload.
  await expect(viewer.locator(".stage video")).toHaveAttribute("data-duration", "2000");
  await expect
    .poll(() =>
      viewer.locator(".stage video").evaluate((video: HTMLVideoElement) => video.duration),
    )
    .toBeLessThan(2.1);
  // The page explained the interruption. Playback continues at the same frame, which is half a second after the new
  // start.
  expect(
    await viewer.evaluate(() => (window as unknown as { stageTexts: string[] }).stageTexts.join()),
  ).toContain("Being trimmed");
  await expect
    .poll(() => viewerVideo.evaluate((video: HTMLVideoElement) => video.currentTime))
    .toBeGreaterThan(0.5);
  expect(
    await viewerVideo.evaluate((video: HTMLVideoElement) => [
      video.paused,
      video.muted,
      video.playbackRate,
      video.currentTime < 1.6,
    ]),
  ).toEqual([false, true, 0.1, true]);
  await expect(viewer.getByText("Only the middle").first()).toBeVisible();
  await expect(viewer.getByRole("button", { name: "Got it" })).toBeVisible();

  // Undo the trim.
  await page.getByText("Trim count.webm").click();
  await expect(editor.getByText("This plays 0:02.0 to 0:04.0 of the recording.")).toBeVisible();
  await checkPage(page, "trimmed");
  await editor.getByRole("button", { name: "Restore the whole recording" }).click();
  await expect.poll(async () => (await fetchMedia(page, media)).trim).toBeUndefined();
  await waitUntilReady(page, media);
  await expect(viewer.locator(".stage video")).toHaveAttribute("data-duration", /^6\d\d\d$/);
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });
  test("a recording can be trimmed by typing the start and end times", async ({
    page,
    hearback,
  }) => {
    const [una] = await hearback.addPeople(person("Una Trim"));
    await signIn(page, una!);
    const { id, media } = await postVideo(page, { publish: "false" });
    await page.goto(`/updates/${id}/edit`);
    await page.getByText("Trim count.webm").click();
    await page.getByRole("textbox", { name: "Start" }).fill("1.5");
    await page.getByRole("textbox", { name: "End" }).fill("0:04");
    await page.getByRole("button", { name: "Save trim" }).click();
    await expect(page).toHaveURL(`/updates/${id}/edit`);
    expect((await fetchMedia(page, media)).trim).toEqual({ from_ms: 1500, to_ms: 4000 });
  });
});
