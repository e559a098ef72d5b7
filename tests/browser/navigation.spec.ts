// The navigation: the menu of the person, the command palette and the keyboard shortcuts.
import { publishUpdate } from "./scene.ts";
import { axe, checkPage, expect, openSignedInPage, signIn, test } from "./test.ts";

test("a person signs out in the menu of any page", async ({ page, hearback }) => {
  const [mona] = await hearback.addPeople("Mona Menu");
  await signIn(page, mona!);
  await page.goto("/people");
  await page.locator(".person-menu > summary").click();
  await expect(page.getByRole("link", { name: "Settings" })).toBeVisible();
  await checkPage(page, "person-menu");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(/\/session$/);
  await page.goto("/inbox");
  await expect(page).toHaveURL(/\/session/);
});

test("the command palette goes to pages, and finds updates and people", async ({
  browser,
  hearback,
}) => {
  const [paula, piet] = await hearback.addPeople("Paula Palette", "Piet Palette");
  const author = await openSignedInPage(browser, hearback, paula!);
  await publishUpdate(author, "fyi", "Where the turquoise paint goes", [piet!]);
  const page = await openSignedInPage(browser, hearback, piet!);
  await page.goto("/inbox");
  const palette = page.getByRole("dialog", { name: "Search and commands" });
  const field = palette.getByRole("combobox");
  const open = async () => {
    await page.keyboard.press("Control+k");
    await expect(field).toBeFocused();
  };

  await open();
  await expect(palette.getByRole("option", { name: "Inbox" })).toBeVisible();
  await axe(page);
  await page.keyboard.type("lib");
  await expect(palette.getByRole("option", { name: "Library" })).toHaveAttribute(
    "aria-selected",
    "true",
  );
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "Library" })).toBeVisible();

  await open();
  await page.keyboard.type("turquoise");
  const update = palette.getByRole("option", { name: /^Where the turquoise paint goes.*Paula/ });
  await expect(update).toBeVisible();
  await checkPage(page, "palette");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await expect(field).toHaveAttribute("aria-activedescendant", (await update.getAttribute("id"))!);
  await page.keyboard.press("Enter");
  await expect(
    page.getByRole("heading", { level: 1, name: "Where the turquoise paint goes" }),
  ).toBeVisible();

  await open();
  await page.keyboard.type("paula");
  await palette.getByRole("option", { name: /^Paula Palette/ }).click();
  await expect(page).toHaveURL(/\/updates\?author=/);
  await expect(page.locator("#updates .row .title")).toHaveText(["Where the turquoise paint goes"]);

  await open();
  await page.keyboard.press("Escape");
  await expect(palette).toHaveCount(0);
});

test("only pages on which something is edited load the recorder and the form", async ({
  page,
  hearback,
}) => {
  const [nell] = await hearback.addPeople("Nell Chunks");
  await signIn(page, nell!);
  const isLoaded = () =>
    page.evaluate(() =>
      performance.getEntriesByType("resource").some(({ name }) => name.includes("/compose-")),
    );
  await page.goto("/inbox");
  expect(await isLoaded()).toBe(false);
  // When Turbo shows the page, the elements of the script are defined, so nothing moves afterwards.
  const defined = page.evaluate(
    () =>
      new Promise<boolean[]>((resolve) =>
        document.addEventListener(
          "turbo:render",
          () =>
            resolve(
              ["draft-form", "screen-recorder"].map(
                (name) => customElements.get(name) !== undefined,
              ),
            ),
          { once: true },
        ),
      ),
  );
  await page.getByRole("link", { name: "New", exact: true }).click();
  expect(await defined).toEqual([true, true]);
  expect(await isLoaded()).toBe(true);
});

test("? lists the keyboard shortcuts, and / searches", async ({ page, hearback }) => {
  const [kira] = await hearback.addPeople("Kira Keys");
  await signIn(page, kira!);
  await page.goto("/inbox");
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await expect(dialog).toContainText("Snooze");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await page.keyboard.press("/");
  await expect(page.getByRole("searchbox", { name: "Search titles" })).toBeFocused();
});
