// The New page: its layout, the folded details, and what happens when an update is sent.
import type { Page } from "@playwright/test";
import { checkPage, expect, fixture, person, signIn, test } from "./test.ts";

const audience = (page: Page) => page.locator("people-field input:visible");
const send = (page: Page) => page.getByRole("button", { name: "Send", exact: true });

test("in a wide window, the media is at the left, and Send stays in view at the right", async ({
  page,
  hearback,
}) => {
  const [wes] = await hearback.addPeople("Wes Wide");
  await signIn(page, wes!);
  for (const size of [
    { width: 1100, height: 700 },
    { width: 1280, height: 800 },
    { width: 1800, height: 1000 },
  ]) {
    await page.setViewportSize(size);
    await page.goto("/updates/new");
    await expect(send(page)).toBeInViewport({ ratio: 1 });
    await page.getByRole("radio", { name: "In their own words" }).check();
    if (!(await page.getByText("Who can see this").isVisible()))
      await page.getByText("Details", { exact: true }).click();
    await expect(page.getByText("Who can see this")).toBeVisible();
    await expect(send(page)).toBeInViewport({ ratio: 1 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(size.width);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto("/updates/new");
  await page
    .locator("upload-queue input[type=file]")
    .setInputFiles([fixture("alpha.png"), fixture("count.webm")]);
  await expect(page.locator(".media-item[data-media]")).toHaveCount(2);
  await expect(page.locator(".media-item video")).toBeVisible();
  await page.locator(".media-item video").scrollIntoViewIfNeeded();
  await expect(send(page)).toBeInViewport({ ratio: 1 });
  const box = async (selector: string) => (await page.locator(selector).first().boundingBox())!;
  const [media, form] = [await box(".media-list"), await box("#update-form")];
  expect(media.x + media.width).toBeLessThan(form.x);
  expect((await box(".media-item video")).width).toBeGreaterThan(500);
  await expect(page.getByRole("heading", { name: /alpha|count/ })).toHaveCount(0);
  await checkPage(page, "compose-media");
});

test("an author reorders files with the keyboard, and without scripts", async ({
  browser,
  page,
  hearback,
}) => {
  const [mo] = await hearback.addPeople("Mo Order");
  await signIn(page, mo!);
  await page.goto("/updates/new");
  await page
    .locator("upload-queue input[type=file]")
    .setInputFiles([fixture("alpha.png"), fixture("count.webm"), fixture("progressive.jpg")]);
  const items = page.locator(".media-item[data-media]");
  await expect(items).toHaveCount(3);
  const names = () => items.locator(".name").allTextContents();
  await expect.poll(names).toEqual(["alpha.png", "count.webm", "progressive.jpg"]);
  await page.getByLabel("Title").fill("In order");
  const up = page.getByRole("button", { name: "Move progressive.jpg up" });
  await expect(page.getByRole("button", { name: "Move progressive.jpg down" })).toBeDisabled();
  await up.focus();
  await page.keyboard.press("Enter");
  await expect.poll(names).toEqual(["alpha.png", "progressive.jpg", "count.webm"]);
  await expect(page.locator("#announcements")).toHaveText("Moved to place 2 of 3.");
  await expect(up).toBeFocused();
  await page.keyboard.press("Enter");
  await expect.poll(names).toEqual(["progressive.jpg", "alpha.png", "count.webm"]);
  // It cannot go further up, so the focus moves to the other button.
  await expect(up).toBeDisabled();
  await expect(page.getByRole("button", { name: "Move progressive.jpg down" })).toBeFocused();
  await expect(page.getByLabel("Title")).toHaveValue("In order");
  await checkPage(page, "compose-order");

  const plain = await browser.newContext({ javaScriptEnabled: false });
  const simple = await plain.newPage();
  await signIn(simple, mo!);
  await simple.goto(new URL(page.url()).pathname);
  await simple.getByRole("button", { name: "Move count.webm up" }).click();
  expect(await simple.locator(".media-item .name").allTextContents()).toEqual([
    "progressive.jpg",
    "count.webm",
    "alpha.png",
  ]);
});

test("the details stay as the person left them", async ({ page, hearback }) => {
  const [dora] = await hearback.addPeople("Dora Details");
  await signIn(page, dora!);
  await page.goto("/updates/new");
  const field = page.getByRole("radio", { name: "Only the people above" });
  await expect(field).toBeHidden();
  await page.getByText("Details", { exact: true }).click();
  await expect(field).toBeVisible();
  await page.goto("/inbox");
  await page.getByRole("link", { name: "New", exact: true }).click();
  await expect(field).toBeVisible();
  await page.getByText("Details", { exact: true }).click();
  await expect(field).toBeHidden();
  await page.reload();
  await expect(field).toBeHidden();
});

test("after Send, the link is shown and copied", async ({ page, hearback }) => {
  const [lou] = await hearback.addPeople("Lou Link", "Liv Link");
  await signIn(page, lou!);
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("With a link");
  await audience(page).fill("liv.link@example.org");
  await audience(page).press("Enter");
  // The keys work wherever the focus is.
  await page.getByRole("button", { name: /^Upload/ }).focus();
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("heading", { level: 1, name: "With a link" })).toBeVisible();
  const link = page.getByLabel("Link to this update");
  await expect(link).toHaveValue(page.url());
  await expect(page.locator("undo-field")).toContainText("The link is copied.");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
});

test("the offer to invite is under the field, and nothing covers it", async ({
  page,
  hearback,
}) => {
  const [ada] = await hearback.addPeople(person("Ada Offer", { admin: true }), "Abe Offer");
  await signIn(page, ada!);
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("For a newcomer");
  await audience(page).fill("newcomer@example.org");
  await audience(page).press("Enter");
  const offer = page.getByRole("button", { name: "Invite and ask" });
  await expect(offer).toBeVisible();
  await audience(page).focus();
  await expect(page.getByRole("listbox")).toBeHidden();
  await offer.click({ trial: true });
  const bottom = async (name: string) => {
    const { y, height } = (await page.locator(name).boundingBox())!;
    return y + height;
  };
  expect((await offer.boundingBox())!.y).toBeGreaterThan(await bottom(".people-box"));
  await checkPage(page, "compose-invite");
});

test("on a phone, the camera and videos come first", async ({ browser, hearback }) => {
  const [phil] = await hearback.addPeople("Phil Phone");
  const context = await browser.newContext({
    baseURL: hearback.url,
    viewport: { width: 380, height: 780 },
    hasTouch: true,
    isMobile: true,
  });
  // Browsers on phones cannot share the screen.
  await context.addInitScript(() => {
    if ("MediaDevices" in window) Reflect.deleteProperty(MediaDevices.prototype, "getDisplayMedia");
  });
  const page = await context.newPage();
  await signIn(page, phil!);
  await page.goto("/updates/new");
  const starts = page.locator(".start:visible");
  await expect(starts).toHaveText([/^\s*Camera/, /^\s*Upload/]);
  const tops = await starts.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top));
  expect(tops[0]).toBeLessThan(tops[1]!);
  await expect(page.locator("kbd:visible")).toHaveCount(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(380);
  await checkPage(page, "compose-phone");
});
