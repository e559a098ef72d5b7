// What never answers does not lock the recorder: it is given up in words, with a way to try again.
import type { Page } from "@playwright/test";
import { expect, test } from "./test.ts";
import { control, given } from "./sources.ts";
import { recorded, recorder, studio } from "./studio.ts";

const state = (page: Page, name: string) =>
  expect(recorder(page)).toHaveAttribute("data-state", name, { timeout: 30_000 });
const alert = (page: Page) => recorder(page).getByRole("alert");

async function press(page: Page, source: string): Promise<void> {
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: source, exact: true }).check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
}

test("a recorder of the browser that never starts is given up, and Try again records", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [uma] = await hearback.people("Uma Unanswered");
  const { page, close } = await studio(playwright, hearback, uma!);
  const restore = await page.evaluateHandle(() => {
    const real = MediaRecorder.prototype.start;
    MediaRecorder.prototype.start = () => {};
    return () => {
      MediaRecorder.prototype.start = real;
    };
  });
  await page.clock.install();
  await press(page, "Screen");
  await expect(page.locator('[data-part="number"]')).toHaveText("…", { timeout: 30_000 });
  await expect(async () => {
    await page.clock.fastForward(10_000);
    await expect(alert(page)).toContainText(
      "Your browser didn't start recording, so nothing is recorded.",
      { timeout: 500 },
    );
  }).toPass({ timeout: 30_000 });
  await state(page, "set");
  await restore.evaluate((act) => act());
  await alert(page).getByRole("button", { name: "Try again" }).click();
  await state(page, "recording");
  await recorded(page, 1);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});

test("a server that never answers is given up", async ({ playwright, hearback }) => {
  test.setTimeout(120_000);
  const [ulf] = await hearback.people("Ulf Unanswered");
  const { page, close } = await studio(playwright, hearback, ulf!);
  await page.route("**/updates", (route) =>
    route.request().method() === "POST" ? undefined : route.fallback(),
  );
  await page.clock.install();
  await press(page, "Camera");
  await expect(page.locator('[data-part="number"]')).toHaveText("…", { timeout: 30_000 });
  await page.clock.fastForward(30_000);
  await expect(alert(page)).toContainText(
    "The server does not answer, so nothing is recorded. Try again in a moment.",
  );
  await expect(alert(page).getByRole("button", { name: "Try again" })).toBeVisible();
  await state(page, "set");
  await close();
});

test("a camera that never answers is given up, and Cancel is there until then", async ({
  playwright,
  hearback,
}) => {
  const [udo] = await hearback.people("Udo Unanswered");
  const { page, close } = await studio(playwright, hearback, udo!);
  await control(page, { camera: "stuck" });
  await page.clock.install();
  await press(page, "Camera");
  await state(page, "asking");
  await recorder(page).getByRole("button", { name: "Cancel" }).click();
  await state(page, "set");
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await state(page, "asking");
  await page.clock.fastForward(10_000);
  await state(page, "set");
  await expect(alert(page)).toContainText(
    "The camera does not answer. Another program may be using it",
  );
  await expect(alert(page).getByRole("button", { name: "Try again" })).toBeVisible();
  await close();
});

test("a camera that answered is kept when the deadline has passed", async ({
  playwright,
  hearback,
}) => {
  const [urs] = await hearback.people("Urs Unanswered");
  const { page, close } = await studio(playwright, hearback, urs!);
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
  await state(page, "recording");
  expect(await live()).toEqual(["live"]);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await close();
});

test("a screenshot of a screen that sends no picture is given up", async ({
  playwright,
  hearback,
}) => {
  const [ute] = await hearback.people("Ute Unanswered");
  const { page, close } = await studio(playwright, hearback, ute!);
  await control(page, { screen: "mute" });
  await page.clock.install();
  await page.getByRole("button", { name: "Screenshot" }).click();
  await expect.poll(() => given(page)).toEqual(["screen"]);
  await page.clock.fastForward(10_000);
  await expect(alert(page)).toContainText("Your screen hasn't sent a picture.");
  await expect(alert(page).getByRole("button", { name: "Try again" })).toBeVisible();
  await close();
});
