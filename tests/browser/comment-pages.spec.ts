// An update with so many threads that they do not fit on one page.
import { expect, openSignedInPage, test } from "./test.ts";

const headers = { accept: "application/json", "sec-fetch-site": "same-origin" };

test("earlier comments are on another page, and a link to one of them opens that page", async ({
  browser,
  hearback,
}) => {
  const [ada] = await hearback.addPeople("Ada Pages");
  const page = await openSignedInPage(browser, hearback, ada!);
  const data = { title: "Many remarks", publish: true };
  const made = await page.request.post("/updates", { headers, data });
  const { id } = (await made.json()) as { id: string };
  const ids: string[] = [];
  for (let n = 0; n < 102; n++) {
    const data = { body: `Remark ${n}.` };
    const response = await page.request.post(`/updates/${id}/comments`, { headers, data });
    ids.push(((await response.json()) as { id: string }).id);
  }

  await page.goto(`/updates/${id}`);
  await expect(page.locator(".thread")).toHaveCount(100);
  await expect(page.locator("#talk-count")).toHaveText("102");
  await page.getByRole("link", { name: "Earlier comments" }).click();
  await expect(page.locator(".thread")).toHaveCount(2);
  await expect(page.locator(".thread p", { hasText: "Remark 0." })).toBeVisible();

  // After a comment is sent, the newest page opens, because it shows the comment.
  await page.locator("#body").fill("The newest remark");
  await page.locator("#body").press("Control+Enter");
  await expect(page.locator(".thread")).toHaveCount(100);
  await expect(page.locator(".thread p", { hasText: "The newest remark" })).toBeVisible();

  await page.goto(`/updates/${id}#c-${ids[1]!}`);
  await expect(page.locator(`#c-${ids[1]!}`)).toHaveClass(/\bon\b/);
});
