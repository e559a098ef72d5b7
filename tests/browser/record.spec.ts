// Recording in the browser, with its own tab for a screen and a made-up camera and microphone.
import { writeFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, look, pictures, test } from "./test.ts";
import { begins, stored } from "./recording.ts";
import { handles, record, recorded, recorder, studio, time } from "./studio.ts";

/** Pictures from the top: the bar would else stand wherever the page was scrolled to. */
async function shown(page: Page, name: string): Promise<void> {
  await page.evaluate(() => scrollTo(0, 0));
  await look(page, name);
}

test("records a tab with the camera in a bubble, pauses, stops, and plays where it stands", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [rosa, ben] = await hearback.people("Rosa", "Ben of Rosa");
  const { page, close } = await studio(playwright, hearback, rosa!);
  await look(page, "new");
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByLabel("Screen and camera").check();
  await expect(page.getByText("We hear you.")).toBeVisible();
  // Where a camera has no bubble, nothing is said of one.
  const drag = page.getByText("Drag the bubble");
  await expect(drag).toBeVisible();
  await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
  await expect(drag).toBeHidden();
  await recorder(page).getByLabel("Screen and camera").check();
  await expect
    .poll(() =>
      page.locator(".heard-line meter").evaluate((meter: HTMLMeterElement) => meter.value),
    )
    .toBeGreaterThan(0.1);
  const bubble = page.locator(".bubble");
  await expect(bubble).toBeVisible();
  await shown(page, "recorder-set");

  // Moved by keys and by hand, and where it was left next time.
  const place = () =>
    bubble.evaluate((element) =>
      [element.style.left, element.style.top, element.style.height].map(parseFloat),
    );
  const [x, y, size] = await place();
  await bubble.press("ArrowRight");
  await bubble.press("ArrowUp");
  await bubble.press("+");
  const [x1, y1, size1] = await place();
  expect([x1! > x!, y1! < y!, size1! > size!]).toEqual([true, true, true]);
  const box = (await bubble.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 120, box.y + box.height / 2 - 60, { steps: 4 });
  await page.mouse.up();
  expect((await place())[0]).toBeGreaterThan(x1! + 5);

  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.locator('[data-part="count"]')).toBeVisible();
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await expect(page).toHaveURL(/\/updates\/[0-9a-z]+\/edit/);
  await expect(page).toHaveTitle(/^● 0:0/);
  await recorded(page, 2);
  expect(
    await page
      .locator('[data-part="preview"]')
      .evaluate((video: HTMLVideoElement) => [video.videoWidth > 600, video.videoHeight > 400]),
  ).toEqual([true, true]);
  await shown(page, "recorder-recording");
  await page.keyboard.press("Alt+Shift+P");
  await expect(recorder(page)).toHaveAttribute("data-state", "paused");
  const held = await time(page).textContent();
  await shown(page, "recorder-paused");
  await expect(time(page)).toHaveText(held!);
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await page.getByLabel("Notes").fill("Typed meanwhile.");
  await page.getByLabel("Title").focus();
  await page.locator("h1").click();
  await page.keyboard.press("Alt+Shift+S");

  const video = page.locator(".media-item video");
  await expect(video).toBeVisible();
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.readyState))
    .toBeGreaterThan(0);
  await expect(page.getByLabel("Title")).toHaveValue(/^Recording, \d+ \w+ \d\d:\d\d$/);
  await expect(page.getByLabel("Title")).toBeFocused();
  expect(await page.evaluate(() => getSelection()?.toString())).toMatch(/^Recording, /);
  await expect(page).not.toHaveTitle(/●/);
  await expect(page.locator(".media-item [data-length]")).toContainText(/0:\d\d/);
  await shown(page, "recorder-stopped");

  await page.locator("people-field input:visible").fill(ben!.email);
  await page.locator("people-field input:visible").press("Control+Enter");
  await expect(page.getByRole("heading", { name: /^Recording, / })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  await expect(page.locator("#main")).toBeFocused();
  await close();
});

test('Send while it records stops, finishes and sends; so does "Send it when I stop"', async ({
  playwright,
  hearback,
}, info) => {
  test.setTimeout(120_000);
  const [rita, rob] = await hearback.people("Rita", "Rob");
  const { page, close } = await studio(playwright, hearback, rita!);
  await page.getByLabel("Title").fill("While it runs");
  await page.locator("people-field input:visible").fill(rob!.email);
  await page.locator("people-field input:visible").press("Enter");
  await page.locator('[data-part="count"]').evaluate((count) => {
    count.style.background = "rgb(255 0 254)";
  });
  await record(page);
  await recorded(page, 2);
  // By its keys, which are pressed in passing, it asks.
  await page.getByLabel("Notes").press("Control+Enter");
  await expect(page.getByRole("dialog")).toContainText("Stop the recording and send it to Rob?");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "recording");
  await expect(page.getByLabel("Notes")).toBeFocused();
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.getByRole("heading", { name: "While it runs" })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  await expect
    .poll(() => page.locator("video").evaluate((video: HTMLVideoElement) => video.readyState))
    .toBeGreaterThan(0);
  // The page recorded itself, and not the countdown that lay on it.
  const file = info.outputPath("itself.webm");
  await writeFile(file, (await stored(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!)).bytes);
  expect(await begins(file, [255, 0, 254])).toBeLessThan(0.01);

  // Who it is for is as last time, and what was recorded as well.
  await page.goto("/updates/new");
  await page.getByRole("button", { name: /^Record/ }).click();
  await page.getByLabel("Send it when I stop").check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await recorded(page, 1);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("heading", { name: /^Recording, / })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("The link is copied");

  await page.goto("/updates/new");
  await record(page);
  await recorded(page, 1);
  await page.getByLabel("Notes").press("Control+Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Stop and send" }).click();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  await close();
});

test("restart asks, leaving asks, and the end of sharing or of the time ends it with all that was recorded", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [ruth] = await hearback.people("Ruth");
  const { page, close } = await studio(playwright, hearback, ruth!);
  await record(page);
  await recorded(page, 3);
  await page.getByRole("button", { name: "Restart" }).click();
  await expect(page.getByRole("dialog")).toContainText(/Throw away 0:0\d/);
  await expect(recorder(page)).toHaveAttribute("data-state", "paused");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  // As it was: what ran runs on, what was paused stays paused.
  await expect(recorder(page)).toHaveAttribute("data-state", "recording");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Restart" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(recorder(page)).toHaveAttribute("data-state", "paused");
  await page.getByRole("button", { name: "Restart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Begin again" }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "counting");
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await recorded(page, 1);

  // Another page is one press away: it is asked for, and the recording is brought in before.
  await page.getByRole("link", { name: "Library" }).click();
  await expect(page.getByRole("dialog")).toContainText("You are recording");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await page.getByRole("link", { name: "Library" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop and leave" }).click();
  await expect(page).toHaveURL(/\/updates$/);
  await page.goBack();
  await page.reload();
  await expect(page.locator(".media-item video")).toHaveCount(1);

  // "Stop sharing" of the browser's own.
  await page.evaluate(() => {
    const media = navigator.mediaDevices;
    const real = media.getDisplayMedia.bind(media);
    media.getDisplayMedia = async (options) => {
      const stream = await real(options);
      Object.assign(window, { shared: stream });
      return stream;
    };
  });
  await record(page);
  await recorded(page, 1);
  await page.evaluate(() => {
    const track = (window as unknown as { shared: MediaStream }).shared.getVideoTracks()[0]!;
    track.stop();
    track.dispatchEvent(new Event("ended"));
  });
  await expect(
    page.getByText(
      "The screen is no longer shared, and the recording ended there. All of it is kept.",
    ),
  ).toBeVisible();
  await expect(page.locator(".media-item video")).toHaveCount(2);

  // The limit says so before, and then ends it.
  await recorder(page).evaluate((element) => {
    element.dataset["limit"] = "8";
  });
  await record(page);
  await expect(recorder(page).getByText(/^It stops by itself in 0:0\d\.$/)).toBeVisible();
  await expect(page.locator(".media-item video")).toHaveCount(3);
  await close();
});

test("a refusal, a silence and a missing camera are said in words", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [rene] = await hearback.people("Rene");
  const silent = await studio(playwright, hearback, rene!, { refuse: true, tone: 0 });
  const { page } = silent;
  await page.getByRole("button", { name: "Screenshot" }).click();
  await expect(page.getByText("No screen was shared, so there is no picture.")).toBeVisible();
  await page.getByRole("button", { name: /^Record/ }).click();
  await expect(
    page.getByText("We hear nothing. Speak, or choose another microphone."),
  ).toBeVisible();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.getByText("No screen was shared, so nothing is recorded.")).toBeVisible();
  await expect(recorder(page)).toHaveAttribute("data-state", "set");
  await shown(page, "recorder-problem");
  await silent.close();

  const refused = await studio(playwright, hearback, rene!, { permissions: [] });
  await refused.page.getByRole("button", { name: /^Record/ }).click();
  await expect(refused.page.getByText("This page may not use the microphone.")).toBeVisible();
  await expect(refused.page.getByLabel("Microphone", { exact: true })).toHaveValue("none");
  await expect(refused.page.getByText("Nothing of what you say is recorded.")).toBeVisible();
  // Of a camera there is none either, and its place says whose it is.
  await recorder(refused.page).getByRole("radio", { name: "Camera", exact: true }).check();
  await expect(refused.page.getByText("Your camera comes here.")).toBeVisible();
  // Pressed all the same, it says why again, and how it can be had.
  await expect(refused.page.getByText("This page may not use the camera.")).toBeVisible();
  await recorder(refused.page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(recorder(refused.page)).toHaveAttribute("data-state", "set");
  await expect(refused.page.getByText("This page may not use the camera.")).toBeVisible();
  await expect(recorder(refused.page).getByRole("button", { name: "Try again" })).toBeVisible();
  await recorder(refused.page).getByRole("radio", { name: "Screen", exact: true }).check();
  // It goes on without.
  await recorder(refused.page).getByRole("button", { name: "Record", exact: true }).click();
  await recorded(refused.page, 1);
  await refused.page.getByRole("button", { name: "Stop" }).click();
  await expect(refused.page.locator(".media-item video")).toBeVisible();
  await refused.close();
});

test("a microphone and a camera that are unplugged do not end the recording of a screen", async ({
  playwright,
  hearback,
}) => {
  const [rolf] = await hearback.people("Rolf");
  const { page, close } = await studio(playwright, hearback, rolf!);
  const unplug = await handles(page);
  await record(page, "Screen and camera");
  await unplug("audio");
  await expect(page.getByText(/The microphone was unplugged. “.*” is used now./)).toBeVisible();
  await unplug("video");
  await expect(
    page.getByText("The camera was unplugged. The screen is recorded on without it."),
  ).toBeVisible();
  await recorded(page, 3);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);

  // With the camera alone there is nothing left to record.
  await record(page, "Camera");
  await recorded(page, 2);
  await unplug("video");
  await expect(
    page.getByText("The camera was unplugged, and the recording ended there. All of it is kept."),
  ).toBeVisible();
  await expect(page.locator(".media-item video")).toHaveCount(2);
  await close();
});

test("what the server does not take is kept, and the recorder is free again; too large a recording ends before", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [rhys] = await hearback.people("Rhys");
  const { page, close } = await studio(playwright, hearback, rhys!);
  await page.route("**/uploads/*", (route) =>
    route.request().method() === "PATCH"
      ? route.fulfill({
          status: 413,
          contentType: "application/problem+json",
          body: JSON.stringify({
            title: "Too large",
            detail: "This is larger than the server takes.",
          }),
        })
      : route.fallback(),
  );
  await record(page, "Camera");
  await expect(recorder(page)).toHaveAttribute("data-state", "idle", { timeout: 30_000 });
  await expect(
    recorder(page).getByRole("alert").getByText("This is larger than the server takes."),
  ).toBeVisible();
  await expect(page.locator("unfinished-recordings li")).toHaveCount(1);
  await page.unroute("**/uploads/*");

  await recorder(page).evaluate((element) =>
    Object.assign(element.dataset, { size: "1000", sizeWords: "1 kB" }),
  );
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(
    page.getByText(
      "A recording is at most 1 kB large here, and the recording ended there. All of it is kept.",
    ),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});

test("a camera that the worker cannot draw is drawn in another way or by the page, and a later failure ends the recording in words", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [rika] = await hearback.people("Rika");
  const { page, close } = await studio(playwright, hearback, rika!);
  /** Everything that the compositor's worker does runs after this. */
  const first = (code: string, times = 1) =>
    page.route(
      "**/compositor-worker*",
      async (route) => {
        const answer = await route.fetch();
        await route.fulfill({ response: answer, body: `${code}\n${await answer.text()}` });
      },
      { times },
    );
  const cannotCopy =
    'VideoFrame.prototype.copyTo = () => Promise.reject(new Error("cannot be copied"))';
  const showsCamera = () =>
    expect
      .poll(() => page.locator('[data-part="preview"]').evaluate(green), { timeout: 30_000 })
      .toBe(true);
  await first(cannotCopy);
  await record(page, "Screen and camera");
  await showsCamera();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);

  await first(
    `${cannotCopy}; OffscreenCanvasRenderingContext2D.prototype.drawImage = () => { throw new Error("cannot be drawn") }`,
    2,
  );
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await recorded(page, 1);
  await showsCamera();
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(2);

  await first(
    `${cannotCopy}; const draw = OffscreenCanvasRenderingContext2D.prototype.drawImage;
    OffscreenCanvasRenderingContext2D.prototype.drawImage = function (...all) { if (performance.now() > 8000) throw new Error("cannot be drawn"); return draw.apply(this, all); }`,
    // On a busy machine a worker that gets its frames late is replaced.
    2,
  );
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(
    page.getByText(
      "The camera could not be put on the screen any more, and the recording ended there.",
    ),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page.locator(".media-item video")).toHaveCount(3);
  await close();
});

test("where sound and picture part in a sleep, the recording ends at the sleep", async ({
  playwright,
  hearback,
}) => {
  const [runa] = await hearback.people("Runa");
  const { page, context, close } = await studio(playwright, hearback, runa!);
  // As Firefox calls it, and as a minute asleep looks to a worker.
  await context.addInitScript(() => {
    Object.assign(window, { mozInnerScreenX: 0 });
  });
  await page.route("**/recording-uploader-worker*", async (route) => {
    const answer = await route.fetch();
    const sleep =
      "const real = performance.now.bind(performance); performance.now = () => real() + (real() > 8000 ? 60_000 : 0);";
    await route.fulfill({ response: answer, body: `${sleep}\n${await answer.text()}` });
  });
  await page.reload();
  await record(page, "Camera");
  await expect(
    page.getByText("This computer slept, and the recording ended there. All of it is kept."),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});

test("a screen that says it is larger than it is, is recorded as large as it is", async ({
  playwright,
  hearback,
}) => {
  const [rosi] = await hearback.people("Rosi");
  const { page, close } = await studio(playwright, hearback, rosi!);
  // As whole screens do before their first frame.
  await page.evaluate(() => {
    const media = navigator.mediaDevices;
    const real = media.getDisplayMedia.bind(media);
    media.getDisplayMedia = async (options) => {
      const stream = await real(options);
      stream.getVideoTracks()[0]!.getSettings = () => ({ width: 1920, height: 1080 });
      return stream;
    };
  });
  await record(page, "Screen and camera");
  expect(
    await page
      .locator('[data-part="preview"]')
      .evaluate((video: HTMLVideoElement) => [video.videoWidth, video.videoHeight]),
  ).toEqual([1280, 720]);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  await close();
});

test("a browser that cannot read frames composes in the page", async ({ playwright, hearback }) => {
  const [rune] = await hearback.people("Rune");
  const { page, context, close } = await studio(playwright, hearback, rune!);
  await context.addInitScript(() => {
    for (const name of ["MediaStreamTrackProcessor", "MediaStreamTrackGenerator"])
      delete (window as unknown as Record<string, unknown>)[name];
  });
  await page.reload();
  await record(page, "Screen and camera");
  await recorded(page, 2);
  await expect
    .poll(() => page.locator('[data-part="preview"]').evaluate(green), { timeout: 30_000 })
    .toBe(true);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  await close();
});

/** Whether the picture shows the green of Chromium's made-up camera where the bubble is at first. */
function green(video: HTMLVideoElement | SVGElement): boolean {
  const { videoWidth, videoHeight } = video as HTMLVideoElement;
  if (!videoWidth) return false;
  const canvas = document.createElement("canvas");
  canvas.width = videoWidth;
  canvas.height = videoHeight;
  const context = canvas.getContext("2d")!;
  context.drawImage(video as HTMLVideoElement, 0, 0);
  const [red, full] = context.getImageData(
    Math.round(0.1 * videoWidth),
    Math.round(0.74 * videoHeight),
    1,
    1,
  ).data;
  return full! > 90 && red! < 90;
}

test("a screenshot is one frame of what is shared", async ({ playwright, hearback }) => {
  const [rhea] = await hearback.people("Rhea");
  const { page, close } = await studio(playwright, hearback, rhea!);
  await page.getByRole("button", { name: "Screenshot" }).click();
  await page
    .getByRole("dialog", { name: /^Mark up Screenshot/ })
    .getByRole("button", { name: "Add", exact: true })
    .click();
  await expect(page.locator('.media-item[data-state="ready"]')).toBeVisible();
  await expect(page.locator(".media-item .name")).toHaveText(
    /^Screenshot \d+ \w+ \d\d\.\d\d\.png$/,
  );
  await expect(page.getByLabel("Title")).toHaveValue(/^Screenshot, \d+ \w+ \d\d:\d\d$/);
  await close();
});

test("over plain http, and in a browser that cannot record, the page says so and takes files", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [remy] = await hearback.people("Remy");
  const port = new URL(hearback.url).port;
  const plain = await studio(
    playwright,
    hearback,
    remy!,
    { permissions: [], args: ["--host-resolver-rules=MAP hearback.test 127.0.0.1"] },
    undefined,
    `http://hearback.test:${port}`,
  );
  await expect(
    plain.page.getByText(
      "Browsers record only over https. Ask your admin for that address. Upload works here.",
    ),
  ).toBeVisible();
  await expect(plain.page.getByRole("button", { name: /^Record/ })).toBeHidden();
  await expect(plain.page.getByRole("button", { name: /^Upload/ })).toBeVisible();
  await look(plain.page, "new-http");
  await plain.close();

  const phone = await studio(playwright, hearback, remy!);
  await phone.context.addInitScript(() => {
    delete (MediaDevices.prototype as unknown as Record<string, unknown>)["getDisplayMedia"];
    delete (navigator.mediaDevices as unknown as Record<string, unknown>)["getDisplayMedia"];
    const real = window.matchMedia.bind(window);
    window.matchMedia = (query) =>
      query === "(pointer: coarse)"
        ? ({ matches: true, addEventListener() {} } as unknown as MediaQueryList)
        : real(query);
  });
  await phone.page.reload();
  await expect(phone.page.getByText("A phone’s browser cannot record its screen.")).toBeVisible();
  const film = phone.page.waitForEvent("filechooser");
  await phone.page.getByRole("button", { name: /^Camera/ }).click();
  expect(await (await film).element().getAttribute("capture")).toBe("environment");
  await pictures(phone.page, "new-phone");
  await phone.close();
});
