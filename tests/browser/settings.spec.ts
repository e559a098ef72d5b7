// The settings: the field that finds a time zone by its city.
import { apiHeaders } from "./scene.ts";
import { axe, checkPage, expect, openSignedInPage, signIn, test, type Page } from "./test.ts";

const savedZone = async (page: Page): Promise<string> => {
  const response = await page.request.get("/me", { headers: apiHeaders });
  return ((await response.json()) as { time_zone: string }).time_zone;
};

test("a time zone is found by its city, and the current time there is shown", async ({
  browser,
  hearback,
}) => {
  const [zoe] = await hearback.addPeople("Zoe Zone");
  const page = await openSignedInPage(browser, hearback, zoe!);
  await page.clock.setFixedTime("2026-12-01T09:00:00Z");
  await page.goto("/me");
  await checkPage(page, "settings");
  const field = page.getByRole("combobox", { name: "Time zone" });
  const list = page.getByRole("listbox", { name: "Time zones" });
  await field.fill("york");
  await expect(list.getByRole("option")).toHaveText(["New York, America · Tue 04:00"]);
  await axe(page);
  await page.keyboard.press("Enter");
  await expect(list).toBeHidden();
  await expect(field).toHaveValue("New York");
  await expect(field).toHaveAccessibleDescription("Tue 04:00 in New York now");

  // Escape, and leaving the field without a choice, keep what was chosen.
  await field.fill("Auck");
  await expect(list.getByRole("option").first()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Escape");
  await expect(field).toHaveValue("New York");
  await field.fill("no such city");
  await page.keyboard.press("Tab");
  await expect(field).toHaveValue("New York");

  // The arrow keys choose between two cities.
  await field.fill("america new");
  await page.keyboard.press("ArrowDown");
  await expect(list.getByRole("option", { name: "New Salem" })).toHaveAttribute(
    "aria-selected",
    "true",
  );
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await expect(field).toHaveValue("New York");
  await page.getByRole("button", { name: "Save" }).nth(1).click();
  await expect(page.locator(".said")).toContainText("Saved.");
  expect(await savedZone(page)).toBe("America/New_York");
  await expect(page.getByRole("combobox", { name: "Time zone" })).toHaveValue("New York");
});

test("without scripts, the time zone is chosen from a list", async ({ browser, hearback }) => {
  const [zack] = await hearback.addPeople("Zack Zone");
  const context = await browser.newContext({ baseURL: hearback.url, javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page, zack!);
  await page.goto("/me");
  await page.getByLabel("Time zone").selectOption("Pacific/Auckland");
  await page.getByRole("button", { name: "Save" }).nth(1).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  expect(await savedZone(page)).toBe("Pacific/Auckland");
});
