// Pasting from office programs, which put text, HTML and a picture of the same text on the clipboard.
import type { Locator } from "@playwright/test";
import { paintImage } from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import { expect, signIn, test } from "./test.ts";

/**
 * Pastes text, HTML and a picture in two formats into a field. Returns whether the page lets the browser insert the
 * text. The browser itself inserts nothing, because the event comes from a script.
 */
async function pasteFromOffice(field: Locator): Promise<boolean> {
  const picture = (await paintImage(field.page(), 300, 200, "#ffffff")).toString("base64");
  return field.evaluate((field, picture) => {
    const bytes = Uint8Array.from(atob(picture), (character) => character.charCodeAt(0));
    const data = new DataTransfer();
    data.setData("text/plain", "Two columns");
    data.setData("text/html", "<table><tr><td>Two</td><td>columns</td></tr></table>");
    data.items.add(new File([bytes], "image.png", { type: "image/png" }));
    data.items.add(new File([bytes], "image.bmp", { type: "image/bmp" }));
    const init = { clipboardData: data, bubbles: true, cancelable: true };
    return field.dispatchEvent(new ClipboardEvent("paste", init));
  }, picture);
}

test("a picture that is pasted with text is attached once, and the text is kept", async ({
  page,
  hearback,
}) => {
  const [ada] = await hearback.addPeople("Ada Paste");
  await signIn(page, ada!);
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("From a spreadsheet");
  expect(await pasteFromOffice(page.getByLabel("Notes"))).toBe(true);
  await expect(page.locator("#media-list .media-item")).toHaveCount(1);
  await expect(page.locator(".media-list.arriving .media-item")).toHaveCount(0);
  await expect(page.locator("dialog.markup")).toHaveCount(0);

  const made = await page.request.post("/updates", {
    headers: apiHeaders,
    data: { title: "A discussion", visibility: "workspace", publish: true },
  });
  expect(made.status(), await made.text()).toBe(201);
  await page.goto(`/updates/${((await made.json()) as { id: string }).id}`);
  expect(await pasteFromOffice(page.locator("#body"))).toBe(true);
  await expect(page.locator(".composer-pictures img")).toHaveCount(1);
  // Outside a text field, the page does not let the browser insert the text, but still attaches the picture.
  expect(await pasteFromOffice(page.locator("comment-composer.main-composer"))).toBe(false);
  await expect(page.locator(".composer-pictures img")).toHaveCount(2);
});
