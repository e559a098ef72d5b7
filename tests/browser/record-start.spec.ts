// How a recording starts. A recording that is cancelled, rejected or abandoned before it starts leaves nothing behind.
import { writeFile } from "node:fs/promises";
import { fetchStoredMedia, maxColorShareAtStart } from "./recording.ts";
import { expect, test } from "./test.ts";
import {
  delayCapture,
  interceptTracks,
  startRecording,
  waitUntilRecorded,
  recorder,
  openStudio,
} from "./studio.ts";

test("a recording that is cancelled or loses its source before it starts leaves nothing behind", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [roma] = await hearback.addPeople("Roma");
  const { page, close } = await openStudio(playwright, hearback, roma!);
  const unplug = await interceptTracks(page);
  const press = () => recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  const expectState = (name: string) =>
    expect(recorder(page)).toHaveAttribute("data-state", name, { timeout: 30_000 });
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
  await press();
  await expectState("counting");
  await unplug("video");
  await expectState("set");
  await expect(
    page.getByText(
      /The camera was unplugged before the recording started. “.*” is being used now. Press Record again./,
    ),
  ).toBeVisible();
  await expect(page).toHaveURL(/\/updates\/new$/);
  await expect(page.getByLabel("Title")).toHaveValue("");

  await recorder(page).getByRole("radio", { name: "Screen", exact: true }).check();
  await press();
  await expectState("counting");
  await unplug("screen");
  await expectState("set");
  await expect(
    page.getByText("The screen is no longer shared, so nothing is recorded. Press Record again."),
  ).toBeVisible();

  // Cancel while the server is slow. The server's late error must not affect the next recording.
  let respond!: () => void;
  const delayedResponse = new Promise<void>((resolve) => (respond = resolve));
  await page.route(
    "**/uploads",
    async (route) => {
      await delayedResponse;
      await route.fulfill({ status: 503, body: "" });
    },
    { times: 1 },
  );
  await press();
  await expect(page.locator('[data-part="number"]')).toHaveText("…");
  await page.keyboard.press("Escape");
  await expect(page.locator("#announcements")).toHaveText("Canceled. Nothing is recorded.");
  await expectState("set");
  await press();
  await expectState("counting");
  respond();
  await expectState("recording");
  await waitUntilRecorded(page, 1);

  // The source ends while the dialog asks whether to discard the recording.
  await page.getByRole("button", { name: "Restart" }).click();
  await unplug("screen");
  await expect(
    page.getByText(
      "The screen is no longer shared, so the recording has ended. Everything recorded so far is kept.",
    ),
  ).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Start again" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await expectState("idle");

  // Going back during the countdown deletes the upload.
  await startRecording(page, "Camera");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(2);
  await page.getByRole("link", { name: "Library" }).click();
  await expect(page).toHaveURL(/\/updates$/);
  await page.getByRole("link", { name: /^New/ }).first().click();
  await page.getByRole("button", { name: /^Record/ }).click();
  await press();
  await expectState("counting");
  await expect(page).toHaveURL(/\/edit$/);
  await page.goBack();
  await expect(page).toHaveURL(/\/updates$/);
  await expect
    .poll(
      async () =>
        (
          (await (
            await page.request.get("/uploads", { headers: { accept: "application/json" } })
          ).json()) as { items: unknown[] }
        ).items.length,
    )
    .toBe(0);
  await close();
});

test("the recorder shows the server's message when the server rejects the upload", async ({
  playwright,
  hearback,
}) => {
  const [rina] = await hearback.addPeople("Rina");
  const { page, close } = await openStudio(playwright, hearback, rina!);
  const pageErrors: Error[] = [];
  page.on("pageerror", (error) => pageErrors.push(error));
  await page.route("**/uploads", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({
          status: 429,
          contentType: "application/problem+json",
          body: JSON.stringify({ title: "Too many", detail: "Too many uploads are open." }),
        })
      : route.fallback(),
  );
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.getByText("Too many uploads are open.")).toBeVisible();
  await expect(recorder(page)).toHaveAttribute("data-state", "set");
  expect(pageErrors).toEqual([]);
  await close();
});

test("leaving the page during the countdown deletes the upload, and also deletes the draft if it has no text", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [romy] = await hearback.addPeople("Romy");
  const { page, context, close } = await openStudio(playwright, hearback, romy!);
  page.on("dialog", (dialog) => void dialog.accept());
  // Keep MediaRecorder from starting. The page then creates only the draft and the upload.
  await context.addInitScript(() => {
    MediaRecorder.prototype.start = () => {};
  });
  const countItems = async (path: string) =>
    (
      (await (
        await page.request.get(path, { headers: { accept: "application/json" } })
      ).json()) as { items: unknown[] }
    ).items.length;
  const drafts = () => countItems("/updates?author=me&state=draft");
  const startCounting = async () => {
    await page.goto("/updates/new");
    await page.getByRole("button", { name: /^Record/ }).click();
    await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
    await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
    await expect(page.locator('[data-part="number"]')).toHaveText("…", { timeout: 20_000 });
    await expect.poll(() => countItems("/uploads")).toBe(1);
    expect(await drafts()).toBe(1);
  };
  await startCounting();
  await page.getByRole("link", { name: "Library" }).click();
  await expect(page).toHaveURL(/\/updates$/);
  await expect.poll(drafts).toBe(0);
  expect(await countItems("/uploads")).toBe(0);

  await startCounting();
  await page.goto("/inbox");
  await expect.poll(drafts).toBe(0);
  await expect.poll(() => countItems("/uploads")).toBe(0);
  await expect(page.locator("unfinished-recordings li")).toHaveCount(0);

  await startCounting();
  await page.getByLabel("Notes").fill("Mine");
  await expect(page.locator("#save-state")).toHaveText("Saved");
  await page.goto("/inbox");
  await expect.poll(() => countItems("/uploads")).toBe(0);
  expect(await drafts()).toBe(1);
  await close();
});

test("the countdown is not recorded even if the tab capture lags", async ({
  playwright,
  hearback,
}, info) => {
  const [raul] = await hearback.addPeople("Raul");
  const { page, close } = await openStudio(playwright, hearback, raul!);
  await delayCapture(page, 1500);
  await page.locator('[data-part="count"]').evaluate((count) => {
    count.style.background = "rgb(255 0 254)";
  });
  await startRecording(page);
  await waitUntilRecorded(page, 2);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toBeVisible();
  const file = info.outputPath("lagging.webm");
  const { bytes } = await fetchStoredMedia(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!);
  await writeFile(file, bytes);
  expect(await maxColorShareAtStart(file, [255, 0, 254])).toBeLessThan(0.01);
  await close();
});
