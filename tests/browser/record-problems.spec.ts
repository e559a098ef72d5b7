// Problems while recording: denied or unplugged devices, a server that rejects the recording, the
// size limit, and a computer that goes to sleep. The recorder explains the problem and keeps what
// was recorded.
import { expect, test } from "./test.ts";
import {
  checkPageFromTop,
  interceptTracks,
  startRecording,
  waitUntilRecorded,
  recorder,
  openStudio,
} from "./studio.ts";

test("the recorder explains a missing screen, a silent microphone and a forbidden camera", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [rene] = await hearback.addPeople("Rene");
  const silent = await openStudio(playwright, hearback, rene!, { refusesScreen: true, toneHz: 0 });
  const { page } = silent;
  await page.getByRole("button", { name: "Screenshot" }).click();
  await expect(page.getByText("No screen was shared, so there is no picture.")).toBeVisible();
  await page.getByRole("button", { name: /^Record/ }).click();
  await expect(
    page.getByText("No sound is coming from your microphone. Speak, or choose another one."),
  ).toBeVisible();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.getByText("No screen was shared, so nothing is recorded.")).toBeVisible();
  await expect(recorder(page)).toHaveAttribute("data-state", "set");
  await checkPageFromTop(page, "recorder-problem");
  await silent.close();

  const refused = await openStudio(playwright, hearback, rene!, { permissions: [] });
  await refused.page.getByRole("button", { name: /^Record/ }).click();
  await expect(
    refused.page.getByText("This page is not allowed to use the microphone."),
  ).toBeVisible();
  await expect(refused.page.getByLabel("Microphone", { exact: true })).toHaveValue("none");
  await expect(refused.page.getByText("Your voice won’t be recorded")).toBeVisible();
  // The page is not allowed to use the camera either, so it shows a placeholder.
  await recorder(refused.page).getByRole("radio", { name: "Camera", exact: true }).check();
  await expect(refused.page.getByText("Your camera will appear here.")).toBeVisible();
  // The page says that it is not allowed to use the camera. The recording does not start, and the page offers to try
  // again.
  await expect(refused.page.getByText("This page is not allowed to use the camera.")).toBeVisible();
  await recorder(refused.page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(recorder(refused.page)).toHaveAttribute("data-state", "set");
  await expect(refused.page.getByText("This page is not allowed to use the camera.")).toBeVisible();
  await expect(recorder(refused.page).getByRole("button", { name: "Try again" })).toBeVisible();
  await recorder(refused.page).getByRole("radio", { name: "Screen", exact: true }).check();
  // The screen can be recorded without microphone and camera.
  await recorder(refused.page).getByRole("button", { name: "Record", exact: true }).click();
  await waitUntilRecorded(refused.page, 1);
  await refused.page.getByRole("button", { name: "Stop" }).click();
  await expect(refused.page.locator(".media-item video")).toBeVisible();
  await refused.close();
});

test("unplugging the microphone and the camera does not end a screen recording", async ({
  playwright,
  hearback,
}) => {
  const [rolf] = await hearback.addPeople("Rolf");
  const { page, close } = await openStudio(playwright, hearback, rolf!);
  const unplug = await interceptTracks(page);
  await startRecording(page, "Screen and camera");
  await unplug("audio");
  await expect(
    page.getByText(/The microphone was unplugged. “.*” is being used now./),
  ).toBeVisible();
  await unplug("video");
  await expect(
    page.getByText("The camera was unplugged. The screen is still being recorded."),
  ).toBeVisible();
  await waitUntilRecorded(page, 3);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);

  // A recording of only the camera ends when the camera is unplugged.
  await startRecording(page, "Camera");
  await waitUntilRecorded(page, 2);
  await unplug("video");
  await expect(
    page.getByText(
      "The camera was unplugged, so the recording has ended. Everything recorded so far is kept.",
    ),
  ).toBeVisible();
  await expect(page.locator(".media-item video")).toHaveCount(2);
  await close();
});

test("a recording that the server rejects is kept, and a recording that reaches the size limit ends", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [rhys] = await hearback.addPeople("Rhys");
  const { page, close } = await openStudio(playwright, hearback, rhys!);
  await page.route("**/uploads/*", (route) =>
    route.request().method() === "PATCH"
      ? route.fulfill({
          status: 413,
          contentType: "application/problem+json",
          body: JSON.stringify({
            title: "Too large",
            detail: "The request is larger than the server accepts.",
          }),
        })
      : route.fallback(),
  );
  await startRecording(page, "Camera");
  await expect(recorder(page)).toHaveAttribute("data-state", "idle", { timeout: 30_000 });
  await expect(
    recorder(page).getByRole("alert").getByText("The request is larger than the server accepts."),
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
      "A recording can be at most 1 kB, so the recording has ended. Everything recorded so far is kept.",
    ),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});

test("in a browser that loses sync during sleep, a recording ends when the computer goes to sleep", async ({
  playwright,
  hearback,
}) => {
  const [runa] = await hearback.addPeople("Runa");
  const { page, context, close } = await openStudio(playwright, hearback, runa!);
  // The recorder treats a browser with this property as Firefox.
  await context.addInitScript(() => {
    Object.assign(window, { mozInnerScreenX: 0 });
  });
  // Simulate a minute of sleep, which a worker detects by a jump in its clock.
  await page.route("**/recording-uploader-worker*", async (route) => {
    const response = await route.fetch();
    const sleep =
      "const real = performance.now.bind(performance); performance.now = () => real() + (real() > 8000 ? 60_000 : 0);";
    await route.fulfill({ response, body: `${sleep}\n${await response.text()}` });
  });
  await page.reload();
  await startRecording(page, "Camera");
  await expect(
    page.getByText(
      "This computer went to sleep, so the recording has ended. Everything recorded so far is kept.",
    ),
  ).toBeVisible({ timeout: 30_000 });
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});
