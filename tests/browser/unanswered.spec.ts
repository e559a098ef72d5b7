// Devices, servers and browser APIs that never respond. The recorder gives up after a deadline, explains why and offers
// to try again.
import type { Page } from "@playwright/test";
import { expect, test } from "./test.ts";
import { fakeSources, grantedScreens } from "./sources.ts";
import { waitUntilRecorded, recorder, openStudio } from "./studio.ts";

const expectState = (page: Page, name: string) =>
  expect(recorder(page)).toHaveAttribute("data-state", name, { timeout: 30_000 });
const alert = (page: Page) => recorder(page).getByRole("alert");

async function pressRecord(page: Page, source: string): Promise<void> {
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: source, exact: true }).check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
}

test("the recorder gives up when MediaRecorder never starts, and Try again starts a recording", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [uma] = await hearback.addPeople("Uma Unanswered");
  const { page, close } = await openStudio(playwright, hearback, uma!);
  const restore = await page.evaluateHandle(() => {
    const real = MediaRecorder.prototype.start;
    MediaRecorder.prototype.start = () => {};
    return () => {
      MediaRecorder.prototype.start = real;
    };
  });
  await page.clock.install();
  await pressRecord(page, "Screen");
  await expect(page.locator('[data-part="number"]')).toHaveText("…", { timeout: 30_000 });
  await expect(async () => {
    await page.clock.fastForward(10_000);
    await expect(alert(page)).toContainText(
      "Your browser didn’t start recording, so nothing is recorded.",
      { timeout: 500 },
    );
  }).toPass({ timeout: 30_000 });
  await expectState(page, "set");
  await restore.evaluate((act) => act());
  await alert(page).getByRole("button", { name: "Try again" }).click();
  await expectState(page, "recording");
  await waitUntilRecorded(page, 1);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});

test("the recorder gives up when the server never responds", async ({ playwright, hearback }) => {
  test.setTimeout(120_000);
  const [ulf] = await hearback.addPeople("Ulf Unanswered");
  const { page, close } = await openStudio(playwright, hearback, ulf!);
  await page.route("**/updates", (route) =>
    route.request().method() === "POST" ? undefined : route.fallback(),
  );
  await page.clock.install();
  await pressRecord(page, "Camera");
  await expect(page.locator('[data-part="number"]')).toHaveText("…", { timeout: 30_000 });
  await page.clock.fastForward(30_000);
  await expect(alert(page)).toContainText(
    "The server is not responding, so nothing is recorded. Try again in a moment.",
  );
  await expect(alert(page).getByRole("button", { name: "Try again" })).toBeVisible();
  await expectState(page, "set");
  await close();
});

test("the recorder gives up when the camera never responds, and can be cancelled until then", async ({
  playwright,
  hearback,
}) => {
  const [udo] = await hearback.addPeople("Udo Unanswered");
  const { page, close } = await openStudio(playwright, hearback, udo!);
  await fakeSources(page, { camera: "stuck" });
  await page.clock.install();
  await pressRecord(page, "Camera");
  await expectState(page, "asking");
  await recorder(page).getByRole("button", { name: "Cancel" }).click();
  await expectState(page, "set");
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expectState(page, "asking");
  await page.clock.fastForward(10_000);
  await expectState(page, "set");
  await expect(alert(page)).toContainText(
    "The camera is not responding. Another program may be using it",
  );
  await expect(alert(page).getByRole("button", { name: "Try again" })).toBeVisible();
  await close();
});

test("a camera that responded in time stays on after the deadline", async ({
  playwright,
  hearback,
}) => {
  const [urs] = await hearback.addPeople("Urs Unanswered");
  const { page, close } = await openStudio(playwright, hearback, urs!);
  await page.clock.install();
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
  const preview = page.locator('[data-part="preview"]');
  const live = () =>
    preview.evaluate((video: HTMLVideoElement) =>
      (video.srcObject as MediaStream | null)?.getTracks().map((track) => track.readyState),
    );
  await expect.poll(live).toEqual(["live"]);
  await page.clock.fastForward(15_000);
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expectState(page, "recording");
  expect(await live()).toEqual(["live"]);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});

test("the recorder gives up on a screenshot when the screen sends no frame", async ({
  playwright,
  hearback,
}) => {
  const [ute] = await hearback.addPeople("Ute Unanswered");
  const { page, close } = await openStudio(playwright, hearback, ute!);
  await fakeSources(page, { screen: "mute" });
  await page.clock.install();
  await page.getByRole("button", { name: "Screenshot" }).click();
  await expect.poll(() => grantedScreens(page)).toEqual(["screen"]);
  await page.clock.fastForward(10_000);
  await expect(alert(page)).toContainText("Your screen hasn’t sent a picture.");
  await expect(alert(page).getByRole("button", { name: "Try again" })).toBeVisible();
  await close();
});
