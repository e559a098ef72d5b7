// Zooming and scrolling a picture on the page of an update, and replacing addresses that have expired.
import type { Locator } from "@playwright/test";
import { paintImage, pngFile, postUpdate } from "./markup.ts";
import { expect, saveScreenshots, signIn, test } from "./test.ts";

test("a picture that is much taller than the window opens at its top, and the wheel scrolls it", async ({
  page,
  hearback,
}) => {
  const [tara] = await hearback.addPeople("Tara Tall");
  await signIn(page, tara!);
  const { id } = await postUpdate(
    page,
    { title: "The whole page" },
    { ...pngFile, buffer: await paintImage(page, 1280, 18_000, "#f4f1ea") },
  );
  await page.goto(`/updates/${id}`);
  const [viewport, image, scale] = [
    page.locator(".viewport"),
    page.locator(".sheet > img"),
    page.locator(".stage-tools .scale, .tool.scale").first(),
  ];
  const topOf = async (element: Locator) => (await element.boundingBox())!.y;
  const imageWidth = async () => (await image.boundingBox())!.width;
  await expect.poll(imageWidth).toBeGreaterThan(700);
  expect(Math.abs((await topOf(image)) - (await topOf(viewport)))).toBeLessThan(2);
  await saveScreenshots(page, "tall");
  const before = await topOf(image);
  await viewport.hover();
  await page.mouse.wheel(0, 400);
  await expect.poll(() => topOf(image)).toBeLessThan(before - 300);
  await viewport.focus();
  await page.keyboard.press("0");
  await expect.poll(imageWidth).toBeLessThan(100);
  await scale.click();
  await expect(scale).toHaveText("100%");
});

test("pictures whose addresses have expired are loaded from new addresses", async ({
  page,
  hearback,
}) => {
  const [ella] = await hearback.addPeople("Ella Expired");
  await signIn(page, ella!);
  const picture = { ...pngFile, buffer: await paintImage(page, 640, 400, "#f4f1ea") };
  const { id } = await postUpdate(page, { title: "Open since yesterday" }, picture);
  await page.goto(`/updates/${id}`);
  await page.locator("comment-composer input[type=file]").setInputFiles(picture);
  await page.locator("#body").fill("Another picture.");
  await page.keyboard.press("Control+Enter");
  for (const image of [page.locator(".sheet > img"), page.locator(".threads .pictures img")]) {
    const isLoaded = () =>
      image.evaluate((element: HTMLImageElement) => element.complete && element.naturalWidth > 0);
    await expect.poll(isLoaded).toBe(true);
    const address = (await image.getAttribute("src"))!;
    const refused = page.waitForResponse((response) => response.url().includes("e=1&"));
    await image.evaluate((element: HTMLImageElement) => {
      element.src = element.src.replace(/\be=\d+/, "e=1");
    });
    expect((await refused).status()).toBe(404);
    await expect(image).toHaveAttribute("src", address);
    await expect.poll(isLoaded).toBe(true);
  }
});
