// Workspaces with many people: fields that search people on the server, and paged lists.
import type { Page } from "@playwright/test";
import { checkPage, expect, person, signIn, test } from "./test.ts";

/** Adds an update that everybody sees, by the signed-in person. */
const publish = (page: Page, title: string) =>
  page.evaluate(async (title) => {
    const answer = await fetch("/updates", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ title, visibility: "workspace", publish: true }),
    });
    if (!answer.ok) throw new Error(await answer.text());
  }, title);

test("the library is filtered by an author whom the field suggests", async ({ page, hearback }) => {
  const [wilma, xaver] = await hearback.addPeople("Wilma Wide", "Xaver Wide");
  await signIn(page, wilma!);
  await publish(page, "By Wilma");
  await signIn(page, xaver!);
  await publish(page, "By Xaver");
  await page.goto("/updates");
  const from = page.getByRole("combobox", { name: "From" });
  await from.pressSequentially("wilm");
  await expect(page.locator("people-suggestions option")).toHaveText(["Wilma Wide"]);
  // Playwright cannot use the browser's list. Choosing an entry replaces the text, as this does.
  await from.evaluate((input: HTMLInputElement, email) => {
    input.value = email;
    input.dispatchEvent(new InputEvent("input", { inputType: "insertReplacementText" }));
  }, wilma!.email);
  await expect(page).toHaveURL(/author=/);
  await expect(page.locator("#updates .title")).toHaveText(["By Wilma"]);
  await expect(page.getByRole("combobox", { name: "From" })).toHaveValue("Wilma Wide");
  await checkPage(page, "library-author");
  await page.getByRole("combobox", { name: "From" }).fill("Xaver Wide");
  await page.getByRole("combobox", { name: "From" }).press("Enter");
  await expect(page.locator("#updates .title")).toHaveText(["By Xaver"]);
});

test("without scripts, the author field accepts a name", async ({ browser, hearback }) => {
  const [yara] = await hearback.addPeople("Yara Noscript");
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: hearback.url });
  const page = await context.newPage();
  await signIn(page, yara!);
  await page.goto("/updates");
  await page.getByLabel("From").fill("Yara Noscript");
  await page.getByLabel("From").press("Enter");
  await expect(page.getByLabel("From")).toHaveValue("Yara Noscript");
  await page.getByLabel("From").fill("Yara Nobody");
  await page.getByLabel("From").press("Enter");
  await expect(page.getByRole("heading", { level: 2 })).toHaveText(
    "Nobody here has the name or e-mail address “Yara Nobody”.",
  );
});

test("the people page can be searched", async ({ page, hearback }) => {
  const [admin] = await hearback.addPeople(
    person("Quentin Search", { admin: true }),
    "Quirin Search",
    "Queenie Other",
  );
  await signIn(page, admin!);
  await page.goto("/people");
  const field = page.getByRole("searchbox", { name: "Search people by name or e-mail address" });
  await field.fill("search");
  await field.press("Enter");
  await expect(page.locator("#people .name strong")).toHaveText([
    "Quentin Search",
    "Quirin Search",
  ]);
  await expect(field).toHaveValue("search");
  await checkPage(page, "people-search");
  await field.fill("nobody at all");
  await field.press("Enter");
  await expect(page.getByRole("heading", { level: 2 }).first()).toHaveText(
    "No one matches “nobody at all”.",
  );
});

test("the audience field finds people on the server and shows their names", async ({
  page,
  hearback,
}) => {
  const [uma, vera] = await hearback.addPeople("Uma Field", "Vera Field");
  await signIn(page, uma!);
  await page.goto("/updates/new");
  const audience = page.getByRole("combobox", { name: "Who is this for?" });
  // The author is not suggested.
  await audience.pressSequentially("field");
  await expect(page.getByRole("option")).toHaveText([/Vera Field/]);
  await audience.press("Enter");
  await expect(page.locator(".person-chip > span")).toHaveText(["Vera Field"]);
  await expect(page.locator("input[name=audience]")).toHaveValue(vera!.email);
  await page.getByRole("button", { name: "Remove Vera Field" }).click();
  // An address that was typed or pasted gets the name, too.
  await audience.fill(`${vera!.email},`);
  await expect(page.locator(".person-chip > span")).toHaveText(["Vera Field"]);
  await page.getByRole("button", { name: "Remove Vera Field" }).click();
  // Enter works even before the suggestions arrive: the first one is chosen once it arrives.
  await audience.fill("vera");
  await audience.press("Enter");
  await expect(page.locator(".person-chip > span")).toHaveText(["Vera Field"]);
});

test("the form of a group opens with the names of its members", async ({ page, hearback }) => {
  const [ruth] = await hearback.addPeople("Ruth Group", "Rolf Group");
  await signIn(page, ruth!);
  await page.goto("/groups");
  await page.getByLabel("Name", { exact: true }).fill("grouped");
  const members = page.getByRole("combobox", { name: "Members" });
  await members.pressSequentially("rolf");
  await page.getByRole("option", { name: "Rolf Group" }).click();
  await page.getByRole("button", { name: "Create group" }).click();
  await page.getByRole("link", { name: "Edit @grouped" }).click();
  const group = page.locator(".group").filter({ hasText: "@grouped" });
  await expect(group.locator(".person-chip > span")).toHaveText(["Rolf Group"]);
  await checkPage(page, "group-form");
  await group.getByRole("combobox", { name: "Members" }).pressSequentially("ruth");
  await page.getByRole("option", { name: "Ruth Group" }).click();
  await group.getByRole("button", { name: "Save" }).click();
  await expect(group).toContainText("2 people");
  await expect(page.getByRole("link", { name: "Edit @grouped" })).toBeVisible();
});
