// The recorder on the New page. Instead of a screen, the tests share the page's own tab. The camera and the microphone
// are fake.
import { writeFile } from "node:fs/promises";
import type { Locator } from "@playwright/test";
import { pressPlace } from "./layouts.ts";
import { expect, checkPage, saveScreenshots, test } from "./test.ts";
import { maxColorShareAtStart, fetchStoredMedia } from "./recording.ts";
import {
  checkPageFromTop,
  startRecording,
  waitUntilRecorded,
  recorder,
  openStudio,
  recordedTime,
} from "./studio.ts";

test("a recording of a tab with a camera bubble can be paused, stopped and played on the same page", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [rosa, ben] = await hearback.addPeople("Rosa", "Ben of Rosa");
  const { page, close } = await openStudio(playwright, hearback, rosa!);
  await checkPage(page, "new");
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByLabel("Screen and camera").check();
  await expect(page.getByText("Microphone works")).toBeVisible();
  // The hint about the bubble is visible only if there is a bubble.
  const bubbleHint = page.getByText("Drag the bubble");
  await expect(bubbleHint).toBeVisible();
  await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
  await expect(bubbleHint).toBeHidden();
  await recorder(page).getByLabel("Screen and camera").check();
  await expect
    .poll(() =>
      page.locator(".heard-line meter").evaluate((meter: HTMLMeterElement) => meter.value),
    )
    .toBeGreaterThan(0.1);
  const bubble = page.locator(".bubble");
  await expect(bubble).toBeVisible();
  await checkPageFromTop(page, "recorder-set");

  // Keys move and resize the bubble, and the mouse moves it.
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
  await expect(page).toHaveTitle(/^● \d+:\d\d/);
  await waitUntilRecorded(page, 2);
  expect(
    await page
      .locator('[data-part="preview"]')
      .evaluate((video: HTMLVideoElement) => [video.videoWidth > 600, video.videoHeight > 400]),
  ).toEqual([true, true]);
  await checkPageFromTop(page, "recorder-recording");
  await page.keyboard.press("Alt+Shift+P");
  await expect(recorder(page)).toHaveAttribute("data-state", "paused");
  // The shortcut also works on a Cyrillic layout, and on a Mac, where Alt changes the letter.
  await pressPlace(page, "З", "KeyP", { altKey: true, shiftKey: true });
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await pressPlace(page, "∏", "KeyP", { altKey: true, shiftKey: true });
  await expect(recorder(page)).toHaveAttribute("data-state", "paused");
  const held = await recordedTime(page).textContent();
  await checkPageFromTop(page, "recorder-paused");
  await expect(recordedTime(page)).toHaveText(held!);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await page.getByLabel("Notes").fill("Typed during the recording.");
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
  await checkPageFromTop(page, "recorder-stopped");

  await page.locator("people-field input:visible").fill(ben!.email);
  await page.locator("people-field input:visible").press("Control+Enter");
  await expect(page.getByRole("heading", { name: /^Recording, / })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  await expect(page.locator("#main")).toBeFocused();
  await close();
});

test('Send during a recording stops and sends it, and so does "Send as soon as I stop"', async ({
  playwright,
  hearback,
}, info) => {
  test.setTimeout(120_000);
  const [rita, rob] = await hearback.addPeople("Rita", "Rob");
  const { page, close } = await openStudio(playwright, hearback, rita!);
  await page.getByLabel("Title").fill("While it runs");
  await page.locator("people-field input:visible").fill(rob!.email);
  await page.locator("people-field input:visible").press("Enter");
  await page.locator('[data-part="count"]').evaluate((count) => {
    count.style.background = "rgb(255 0 254)";
  });
  await startRecording(page);
  await waitUntilRecorded(page, 2);
  // Ctrl+Enter requires confirmation, because it is easily pressed by accident.
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
  // The recording shows the page, but not the countdown that covered the page.
  const file = info.outputPath("itself.webm");
  await writeFile(
    file,
    (await fetchStoredMedia(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!)).bytes,
  );
  expect(await maxColorShareAtStart(file, [255, 0, 254])).toBeLessThan(0.01);

  // The page remembers the audience and the source of the last recording.
  await page.goto("/updates/new");
  await page.getByRole("button", { name: /^Record/ }).click();
  await page.getByLabel("Send as soon as I stop").check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await waitUntilRecorded(page, 1);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("heading", { name: /^Recording, / })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("The link is copied");

  await page.goto("/updates/new");
  await startRecording(page);
  await waitUntilRecorded(page, 1);
  await page.getByLabel("Notes").press("Control+Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Stop and send" }).click();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  await close();
});

test("Restart and leaving the page require confirmation, and a recording that ends by itself is kept", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [ruth] = await hearback.addPeople("Ruth");
  const { page, close } = await openStudio(playwright, hearback, ruth!);
  await startRecording(page);
  await waitUntilRecorded(page, 3);
  await page.getByRole("button", { name: "Restart" }).click();
  await expect(page.getByRole("dialog")).toContainText(/Discard \d+:\d\d/);
  await expect(recorder(page)).toHaveAttribute("data-state", "paused");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  // Cancelling the dialog returns the recorder to its earlier state: recording or paused.
  await expect(recorder(page)).toHaveAttribute("data-state", "recording");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Restart" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(recorder(page)).toHaveAttribute("data-state", "paused");
  await page.getByRole("button", { name: "Restart" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start again" }).click();
  await expect(recorder(page)).toHaveAttribute("data-state", "counting");
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await waitUntilRecorded(page, 1);

  // Leaving the page requires confirmation and finishes the recording.
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

  // Keep the shared stream, so that the test can end it as the browser's "Stop sharing" button
  // would.
  await page.evaluate(() => {
    const media = navigator.mediaDevices;
    const real = media.getDisplayMedia.bind(media);
    media.getDisplayMedia = async (options) => {
      const stream = await real(options);
      Object.assign(window, { shared: stream });
      return stream;
    };
  });
  await startRecording(page);
  await waitUntilRecorded(page, 1);
  await page.evaluate(() => {
    const track = (window as unknown as { shared: MediaStream }).shared.getVideoTracks()[0]!;
    track.stop();
    track.dispatchEvent(new Event("ended"));
  });
  await expect(
    page.getByText(
      "The screen is no longer shared, so the recording has ended. Everything recorded so far is kept.",
    ),
  ).toBeVisible();
  await expect(page.locator(".media-item video")).toHaveCount(2);

  // The recorder warns before the time limit, and then ends the recording.
  await recorder(page).evaluate((element) => {
    element.dataset["limit"] = "8";
  });
  await startRecording(page);
  await expect(
    recorder(page).getByText(/^The recording will stop automatically in 0:0\d\.$/),
  ).toBeVisible();
  await expect(page.locator(".media-item video")).toHaveCount(3);
  await close();
});

test("taking a screenshot adds one frame of the shared screen to the draft", async ({
  playwright,
  hearback,
}) => {
  const [rhea] = await hearback.addPeople("Rhea");
  const { page, close } = await openStudio(playwright, hearback, rhea!);
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

test("the page explains why it cannot record over http or on a phone, and still accepts files", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [remy] = await hearback.addPeople("Remy");
  const port = new URL(hearback.url).port;
  const plain = await openStudio(
    playwright,
    hearback,
    remy!,
    { permissions: [], args: ["--host-resolver-rules=MAP hearback.test 127.0.0.1"] },
    undefined,
    `http://hearback.test:${port}`,
  );
  await expect(
    plain.page.getByText(
      "Browsers record only over https. Ask your admin to set it up, or upload a file.",
    ),
  ).toBeVisible();
  await expect(plain.page.getByRole("button", { name: /^Record/ })).toBeHidden();
  await expect(plain.page.getByRole("button", { name: /^Upload/ })).toBeVisible();
  await checkPage(plain.page, "new-http");
  await plain.close();

  const phone = await openStudio(playwright, hearback, remy!);
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
  await expect(phone.page.getByText("Phone browsers cannot record the screen.")).toBeVisible();
  const film = phone.page.waitForEvent("filechooser");
  await phone.page.getByRole("button", { name: /^Camera/ }).click();
  expect(await (await film).element().getAttribute("capture")).toBe("environment");
  await saveScreenshots(phone.page, "new-phone");
  await phone.close();
});

test("from the set-up link to the first recorded update, six clicks and four fields are enough", async ({
  playwright,
  freshServer,
}) => {
  test.setTimeout(120_000);
  const { page, close } = await openStudio(
    playwright,
    freshServer,
    null,
    {},
    freshServer.setUpLink,
  );
  let [clicks, fields] = [0, 0];
  const click = async (place: Locator) => {
    clicks += 1;
    await place.click();
  };
  const fill = async (place: Locator, text: string) => {
    fields += 1;
    await place.fill(text);
  };
  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: true });
  await fill(page.getByLabel("Your name"), "Ada");
  await fill(page.getByLabel("E-mail address"), "ada@example.org");
  await fill(page.getByLabel("Password", { exact: true }), "correct horse battery");
  await click(button("Create account"));
  await click(page.getByRole("link", { name: "Record" }));
  await click(recorder(page).getByRole("button", { name: "Record", exact: true }));
  await expect(recorder(page)).toHaveAttribute("data-state", "recording", { timeout: 30_000 });
  await waitUntilRecorded(page, 1);
  await click(button("Stop"));
  await expect(page.getByLabel("Title")).toBeFocused();
  await page.keyboard.type("How we answer each other");
  const audience = page.locator("people-field input:visible");
  await fill(audience, "bob@example.org");
  await audience.press("Enter");
  await click(button("Invite and ask"));
  await expect(page.getByLabel("Link for bob@example.org")).toHaveValue(/\/invitations\//);
  await click(button("Send"));
  await expect(page.getByRole("heading", { name: "How we answer each other" })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("Sent.");
  expect({ clicks, fields }).toEqual({ clicks: 6, fields: 4 });
  await close();
});
