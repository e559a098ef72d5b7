// File uploads on the New page: interrupted, resumed, cancelled and rejected.
import { writeFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { sha256, paddedRecording, fetchStoredMedia } from "./recording.ts";
import { expect, fixture, signIn, openSignedInPage, test } from "./test.ts";

const arrivingItem = (page: Page) => page.locator(".arriving .media-item");
const draftId = (page: Page) => /updates\/([0-9a-z]+)\/edit/.exec(page.url())![1]!;

/** Limits the upload speed of a page. */
async function throttleUpload(page: Page, bytesPerSecond: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  });
}

test("an upload resumes after a reload when the same file is chosen again", async ({
  browser,
  page,
  hearback,
}, info) => {
  const [uma] = await hearback.addPeople("Uma");
  await signIn(page, uma!);
  const bytes = await paddedRecording(6 << 20);
  const file = info.outputPath("A long talk.webm");
  await writeFile(file, bytes);
  await page.goto("/updates/new");
  await throttleUpload(page, 1 << 20);
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(arrivingItem(page).locator("[data-say]")).toHaveText(
    /^[2-5](\.\d)? MB of 6\.3 MB, \d+ s left$/,
  );
  await expect(page.locator("upload-queue .media-item:visible")).toHaveCount(1);
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  // The server may still be storing the end of the interrupted request when the page first asks for the offset.
  await expect(page.locator("#media-list .media-item")).toContainText(
    /\d(\.\d)? MB of 6\.3 MB uploaded\. Choose the same file again to continue the upload\./,
    { timeout: 30_000 },
  );
  const { items } = (await (
    await page.request.get("/uploads", { headers: { accept: "application/json" } })
  ).json()) as { items: { id: string; received: number }[] };
  expect(items).toHaveLength(1);
  expect(items[0]!.received).toBeGreaterThan(1 << 20);
  // In another browser, the page says that the upload cannot be resumed there.
  const other = await openSignedInPage(browser, hearback, uma!);
  await other.goto(new URL(page.url()).pathname);
  await expect(other.locator("#media-list .media-item")).toContainText(
    "Continue in the browser where you began. Here, remove this upload and choose the file again.",
  );
  await other.context().close();
  let offset = "";
  page.on("request", (request) => {
    if (request.method() === "PATCH" && offset === "")
      offset = request.headers()["upload-offset"] ?? "";
  });
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(page.locator('#media-list [data-state="ready"]')).toHaveCount(1, {
    timeout: 30_000,
  });
  await expect(page.locator("upload-queue .media-item")).toHaveCount(1);
  expect(Number(offset)).toBe(items[0]!.received);
  expect(sha256((await fetchStoredMedia(page, draftId(page))).bytes)).toBe(sha256(bytes));
});

test("after an upload is cancelled, the next file is uploaded", async ({
  page,
  hearback,
}, info) => {
  const [uri] = await hearback.addPeople("Uri");
  await signIn(page, uri!);
  const file = info.outputPath("long.webm");
  await writeFile(file, await paddedRecording(6 << 20));
  await page.goto("/updates/new");
  await throttleUpload(page, 512 << 10);
  await page
    .locator("upload-queue input[type=file]")
    .setInputFiles([file, fixture("shot-1280x800.png")]);
  await expect(arrivingItem(page).first().locator("[data-say]")).toContainText("MB of 6.3 MB");
  await page.getByRole("button", { name: "Cancel long.webm" }).click();
  await expect(page.locator(".media-list:not(.arriving) .media-item")).toHaveCount(1);
  await expect(page.locator(".media-list.arriving .media-item")).toHaveCount(0);
});

test("a cancelled upload leaves nothing behind", async ({ page, hearback }, info) => {
  const [una] = await hearback.addPeople("Una");
  await signIn(page, una!);
  const file = info.outputPath("long.webm");
  await writeFile(file, await paddedRecording(6 << 20));
  await page.goto("/updates/new");
  await throttleUpload(page, 512 << 10);
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(arrivingItem(page).locator("[data-say]")).toContainText("MB of 6.3 MB");
  await page.getByRole("button", { name: "Cancel long.webm" }).click();
  await expect(page.locator("upload-queue .media-item")).toHaveCount(0);
  await expect
    .poll(async (): Promise<unknown> =>
      (await page.request.get("/uploads", { headers: { accept: "application/json" } })).json(),
    )
    .toMatchObject({ items: [] });
  await page.reload();
  await expect(page.locator("upload-queue .media-item")).toHaveCount(0);
});

test("a file of an unknown type shows an error, and the other files are added", async ({
  page,
  hearback,
}, info) => {
  const [ulla] = await hearback.addPeople("Ulla");
  await signIn(page, ulla!);
  const wrong = info.outputPath("words.png");
  await writeFile(wrong, "These are only words.");

  await page.goto("/updates/new");
  await page
    .locator("upload-queue input[type=file]")
    .setInputFiles([fixture("shot-1280x800.png"), wrong, fixture("rec-vp9-opus-10s.webm")]);
  await expect(page.locator(".media-item[data-media]")).toHaveCount(2);
  await expect(arrivingItem(page)).toHaveCount(1);
  await expect(arrivingItem(page)).toContainText("words.png");
  await expect(arrivingItem(page)).toContainText(
    "The content of this file is not in a supported format.",
  );
  await page.getByRole("button", { name: "Dismiss words.png" }).click();
  await expect(arrivingItem(page)).toHaveCount(0);
});

test("an upload continues automatically after the server is killed and restarted", async ({
  page,
  freshServer,
}, info) => {
  const [ursa] = await freshServer.addPeople("Ursa");
  await signIn(page, ursa!, `${freshServer.url}/session`);
  const bytes = await paddedRecording(6 << 20);
  const file = info.outputPath("long.webm");
  await writeFile(file, bytes);
  await page.goto(`${freshServer.url}/updates/new`);
  await throttleUpload(page, 1 << 20);
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(arrivingItem(page).locator("[data-say]")).toContainText("MB of 6.3 MB");
  await freshServer.kill();
  await expect(arrivingItem(page)).toContainText("The server is not responding. Trying again.");
  await freshServer.restart();
  await expect(page.locator('#media-list [data-state="ready"]')).toHaveCount(1, {
    timeout: 30_000,
  });
  expect(sha256((await fetchStoredMedia(page, draftId(page))).bytes)).toBe(sha256(bytes));
});

test("an empty request finishes an upload if the response to the last bytes was lost", async ({
  page,
  hearback,
}, info) => {
  const [ute] = await hearback.addPeople("Ute");
  await signIn(page, ute!);
  const bytes = await paddedRecording(2 << 20);
  const file = info.outputPath("long.webm");
  await writeFile(file, bytes);
  await page.goto("/updates/new");
  const offsets: string[] = [];
  await page.route("**/uploads/*", async (route) => {
    if (route.request().method() !== "PATCH") return route.fallback();
    offsets.push(route.request().headers()["upload-offset"]!);
    if (offsets.length > 1) return route.fallback();
    // The server gets everything, but the page does not get the response.
    await route.fetch();
    return route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({ title: "Unavailable", detail: "The storage is not responding." }),
    });
  });
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(page.locator('#media-list [data-state="ready"]')).toHaveCount(1, {
    timeout: 30_000,
  });
  await expect(arrivingItem(page)).toHaveCount(0);
  expect(offsets).toEqual(["0", String(bytes.length)]);
  expect(sha256((await fetchStoredMedia(page, draftId(page))).bytes)).toBe(sha256(bytes));
});
