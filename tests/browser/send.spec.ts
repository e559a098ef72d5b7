// Sending a draft: the button, the shortcut, the due time and unknown addresses.
import type { Page } from "@playwright/test";
import { expect, checkPage, person, signIn, test } from "./test.ts";

const audience = (page: Page) => page.locator("people-field input:visible");

test("a click on Send publishes a saved draft", async ({ page, hearback }) => {
  const [nora] = await hearback.addPeople("Nora", "Nils");
  await signIn(page, nora!);
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("Settled");
  await audience(page).fill("nils@example.org");
  await audience(page).press("Enter");
  await expect(page.locator("#save-state")).toHaveText("Saved");
  await page.reload();
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("heading", { name: "Settled" })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
});

test("Ctrl+Enter also sends the update to an address that is still being typed, and sending can be undone", async ({
  page,
  hearback,
}) => {
  const [otto] = await hearback.addPeople("Otto", "Olga");
  await signIn(page, otto!);
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("Fast");
  await audience(page).fill("olga@example.org");
  await audience(page).press("Control+Enter");
  await expect(page.getByRole("heading", { name: "Fast" })).toBeVisible();
  await expect(page.locator("undo-field")).toContainText("Sent to 1 person");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("heading", { name: "Draft" })).toBeVisible();
});

test("an update to an address without an account can be saved but not sent, until the person is invited", async ({
  page,
  hearback,
}) => {
  const [pia] = await hearback.addPeople(person("Pia", { admin: true }), "Paul");
  await signIn(page, pia!);
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("For a stranger");
  await audience(page).fill("paul@example.org, stranger@example.org");
  await audience(page).press("Control+Enter");
  await expect(page.getByText("has no account")).toBeVisible();
  await expect(page.locator(".person-chip[data-wrong]")).toHaveText("stranger@example.org");
  await expect(page).toHaveURL(/\/edit$/);
  await expect(page.locator("#save-state")).toHaveText("Some changes aren’t saved");
  const other = await page.context().newPage();
  await other.goto(page.url());
  await expect(other.getByLabel("Title")).toHaveValue("For a stranger");
  await expect(other.locator(".person-chip")).toHaveText("Paul");
  await page.getByRole("button", { name: "Invite and ask" }).click();
  await expect(page.getByLabel("Link for stranger@example.org")).toHaveValue(/\/invitations\//);
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("heading", { name: "For a stranger" })).toBeVisible();
});

test("the message that the author can share after sending fits the width of a phone", async ({
  page,
  hearback,
}) => {
  const [lena] = await hearback.addPeople("Lena", "Lars");
  await signIn(page, lena!);
  await page.setViewportSize({ width: 380, height: 760 });
  await page.goto("/updates/new");
  await page
    .getByLabel("Title")
    .fill("A title that is long enough to make the message to pass on longer than a phone is wide");
  await audience(page).fill("lars@example.org");
  await audience(page).press("Enter");
  await page.getByText("Got it", { exact: true }).click();
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.locator("undo-field").getByText("E-mail isn’t set up here")).toBeVisible();
  await expect(
    page.locator("undo-field").getByRole("button", { name: "Copy message" }),
  ).toBeInViewport({ ratio: 1 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(380);
  await checkPage(page, "sent-pass-on");
});

test("the unit after the number of working days is singular for one and plural for more", async ({
  page,
  hearback,
}) => {
  const [una] = await hearback.addPeople("Una Unit");
  await signIn(page, una!);
  await page.goto("/updates/new");
  await page.getByRole("radio", { name: "Got it", exact: true }).check();
  const unit = page.locator("unit-label");
  await expect(unit).toHaveText("working day");
  for (const [days, text] of [
    ["3", "working days"],
    ["1", "working day"],
  ] as const) {
    await page.getByRole("spinbutton", { name: "Working days" }).fill(days);
    await expect(unit).toHaveText(text);
  }
});
