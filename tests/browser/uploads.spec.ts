// Files on their way from the New page: broken off, gone on with, cancelled, refused.
import { writeFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { hash, padded, stored } from "./recording.ts";
import { expect, fixture, signIn, someone, test } from "./test.ts";

const item = (page: Page) => page.locator(".arriving .media-item");
const draft = (page: Page) => /updates\/([0-9a-z]+)\/edit/.exec(page.url())![1]!;

/** The line of a page takes so many bytes a second. */
async function slow(page: Page, bytes: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytes,
  });
}

test("a file that broke off with its page goes on where it was when it is chosen again", async ({
  browser,
  page,
  hearback,
}, info) => {
  const [uma] = await hearback.people("Uma");
  await signIn(page, uma!);
  const bytes = await padded(6 << 20);
  const file = info.outputPath("A long talk.webm");
  await writeFile(file, bytes);
  await page.goto("/updates/new");
  await slow(page, 1 << 20);
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(item(page).locator("[data-say]")).toHaveText(
    /^[2-5](\.\d)? MB of 6\.3 MB, \d+ s left$/,
  );
  // What travels stands there once, with its progress.
  await expect(page.locator("upload-queue .media-item:visible")).toHaveCount(1);
  page.on("dialog", (dialog) => void dialog.accept());
  await page.reload();
  // What came of the request that broke off may still be on its way to the storage when the page asks first.
  await expect(page.locator("#media-list .media-item")).toContainText(
    /\d(\.\d)? MB of 6\.3 MB arrived\. Choose the same file again, and it goes on from there\./,
    { timeout: 30_000 },
  );
  const { items } = (await (
    await page.request.get("/uploads", { headers: { accept: "application/json" } })
  ).json()) as { items: { id: string; received: number }[] };
  expect(items).toHaveLength(1);
  expect(items[0]!.received).toBeGreaterThan(1 << 20);
  // Another browser does not know the file, and does not promise what it cannot do.
  const other = await someone(browser, hearback, uma!);
  await other.goto(new URL(page.url()).pathname);
  await expect(other.locator("#media-list .media-item")).toContainText(
    "It goes on in the browser that it was begun in. Here, remove it and choose the file again.",
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
  expect(hash((await stored(page, draft(page))).bytes)).toBe(hash(bytes));
});

test("one that is cancelled makes way for the next", async ({ page, hearback }, info) => {
  const [uri] = await hearback.people("Uri");
  await signIn(page, uri!);
  const file = info.outputPath("long.webm");
  await writeFile(file, await padded(6 << 20));
  await page.goto("/updates/new");
  await slow(page, 512 << 10);
  await page
    .locator("upload-queue input[type=file]")
    .setInputFiles([file, fixture("shot-1280x800.png")]);
  await expect(item(page).first().locator("[data-say]")).toContainText("MB of 6.3 MB");
  await page.getByRole("button", { name: "Cancel long.webm" }).click();
  await expect(page.locator(".media-list:not(.arriving) .media-item")).toHaveCount(1);
  await expect(page.locator(".media-list.arriving .media-item")).toHaveCount(0);
});

test("cancelled in the middle, nothing of it is left", async ({ page, hearback }, info) => {
  const [una] = await hearback.people("Una");
  await signIn(page, una!);
  const file = info.outputPath("long.webm");
  await writeFile(file, await padded(6 << 20));
  await page.goto("/updates/new");
  await slow(page, 512 << 10);
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(item(page).locator("[data-say]")).toContainText("MB of 6.3 MB");
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

test("several files, one of them no picture and no video: why is said beside it, and the others are here", async ({
  page,
  hearback,
}, info) => {
  const [ulla] = await hearback.people("Ulla");
  await signIn(page, ulla!);
  const wrong = info.outputPath("words.png");
  await writeFile(wrong, "These are only words.");

  await page.goto("/updates/new");
  await page
    .locator("upload-queue input[type=file]")
    .setInputFiles([fixture("shot-1280x800.png"), wrong, fixture("rec-vp9-opus-10s.webm")]);
  await expect(page.locator("#media-list [data-media]")).toHaveCount(2);
  await expect(item(page)).toHaveCount(1);
  await expect(item(page)).toContainText("words.png");
  await expect(item(page)).toContainText("This is not a file we know, whatever its name says.");
  await page.getByRole("button", { name: "Dismiss words.png" }).click();
  await expect(item(page)).toHaveCount(0);
});

test("the server is killed under a file, and it goes on by itself", async ({
  page,
  fresh,
}, info) => {
  const [ursa] = await fresh.people("Ursa");
  await signIn(page, ursa!, `${fresh.url}/session`);
  const bytes = await padded(6 << 20);
  const file = info.outputPath("long.webm");
  await writeFile(file, bytes);
  await page.goto(`${fresh.url}/updates/new`);
  await slow(page, 1 << 20);
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(item(page).locator("[data-say]")).toContainText("MB of 6.3 MB");
  await fresh.kill();
  await expect(item(page)).toContainText("The server does not answer. Trying again.");
  await fresh.again();
  await expect(page.locator('#media-list [data-state="ready"]')).toHaveCount(1, {
    timeout: 30_000,
  });
  expect(hash((await stored(page, draft(page))).bytes)).toBe(hash(bytes));
});

test("upload is finished by an empty request when the answer to its last bytes was lost", async ({
  page,
  hearback,
}, info) => {
  const [ute] = await hearback.people("Ute");
  await signIn(page, ute!);
  const bytes = await padded(2 << 20);
  const file = info.outputPath("long.webm");
  await writeFile(file, bytes);
  await page.goto("/updates/new");
  const offsets: string[] = [];
  await page.route("**/uploads/*", async (route) => {
    if (route.request().method() !== "PATCH") return route.fallback();
    offsets.push(route.request().headers()["upload-offset"]!);
    if (offsets.length > 1) return route.fallback();
    // The server has all of it, and the page does not learn that.
    await route.fetch();
    return route.fulfill({
      status: 503,
      contentType: "application/problem+json",
      body: JSON.stringify({ title: "Unavailable", detail: "The storage does not answer." }),
    });
  });
  await page.locator("upload-queue input[type=file]").setInputFiles(file);
  await expect(page.locator('#media-list [data-state="ready"]')).toHaveCount(1, {
    timeout: 30_000,
  });
  await expect(item(page)).toHaveCount(0);
  expect(offsets).toEqual(["0", String(bytes.length)]);
  expect(hash((await stored(page, draft(page))).bytes)).toBe(hash(bytes));
});
