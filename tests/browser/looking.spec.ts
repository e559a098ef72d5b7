// Looking into a picture.
import type { Locator } from "@playwright/test";
import { painted, plain, post } from "./markup.ts";
import { expect, pictures, signIn, test } from "./test.ts";

test("of a page far taller than the window its top is read first, and the rest by the wheel", async ({
  page,
  hearback,
}) => {
  const [tara] = await hearback.people("Tara Tall");
  await signIn(page, tara!);
  const { id } = await post(
    page,
    { title: "The whole page" },
    { ...plain, buffer: await painted(page, 1280, 18_000, "#f4f1ea") },
  );
  await page.goto(`/updates/${id}`);
  const [viewport, image, scale] = [
    page.locator(".viewport"),
    page.locator(".sheet > img"),
    page.locator(".stage-tools .scale, .tool.scale").first(),
  ];
  const top = async (of: Locator) => (await of.boundingBox())!.y;
  const wide = async () => (await image.boundingBox())!.width;
  await expect.poll(wide).toBeGreaterThan(700);
  expect(Math.abs((await top(image)) - (await top(viewport)))).toBeLessThan(2);
  await pictures(page, "tall");
  const before = await top(image);
  await viewport.hover();
  await page.mouse.wheel(0, 400);
  await expect.poll(() => top(image)).toBeLessThan(before - 300);
  await viewport.focus();
  await page.keyboard.press("0");
  await expect.poll(wide).toBeLessThan(100);
  await scale.click();
  await expect(scale).toHaveText("100 %");
});
