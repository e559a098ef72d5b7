// Who is let in later, and every share link: what authors and admins see of it.
import type { Page } from "@playwright/test";
import { expect, look, person, signIn, test } from "./test.ts";

const audience = (page: Page) => page.locator("people-field input:visible");

/** Sends JSON as the page would; returns what comes back. */
const send = (page: Page, path: string, fields: object) =>
  page.evaluate(
    async ([path, body]) => {
      const answer = await fetch(path!, {
        method: "POST",
        headers: { "content-type": "application/json", accept: "application/json" },
        body,
      });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()) as { id: string };
    },
    [path, JSON.stringify(fields)],
  );

/** Whether the draft that is being edited is for a group and lets its later members in, as the server has it. */
const ticked = (page: Page) =>
  page.evaluate(async () => {
    // Until the first save there is no draft.
    if (!location.pathname.endsWith("/edit")) return false;
    const answer = await fetch(location.pathname.replace(/\/edit$/, ""), {
      headers: { accept: "application/json" },
    });
    const draft = (await answer.json()) as {
      later_members: boolean;
      audience: { groups: unknown[] };
    };
    return draft.later_members && draft.audience.groups.length === 1;
  });

const box = (page: Page) => page.getByRole("checkbox", { name: /^Also people who join/ });

test("the tick for later members is there while a group is named and is saved with the draft", async ({
  page,
  hearback,
}) => {
  const [tove] = await hearback.people("Tove", "Tomas");
  await signIn(page, tove!);
  await send(page, "/groups", { name: "design", members: ["tomas@example.org"] });
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("For the designers");
  await audience(page).fill("tomas@example.org");
  await audience(page).press("Enter");
  await expect(box(page)).toBeHidden();
  await audience(page).fill("@design");
  await audience(page).press("Enter");
  await expect(
    page.getByRole("checkbox", { name: "Also people who join @design later" }),
  ).not.toBeChecked();
  await box(page).check();
  await expect.poll(() => ticked(page)).toBe(true);
  await page.reload();
  await expect(box(page)).toBeChecked();
  await look(page, "later-members");

  await page.getByRole("button", { name: "Remove @design" }).click();
  await expect(box(page)).toBeHidden();
  await audience(page).fill("@design");
  await audience(page).press("Enter");
  // What went out of sight does not come back ticked.
  await expect(box(page)).not.toBeChecked();
  await box(page).check();
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByText("whoever joins @design later")).toBeVisible();

  // After an edit without the tick they are out again.
  await page.goto(`${page.url().split("#")[0]}/edit`);
  await box(page).uncheck();
  await page.getByRole("button", { name: "Save", exact: true }).last().click();
  await expect(page.getByRole("heading", { name: "For the designers" })).toBeVisible();
  await expect(page.getByText("whoever joins @design later")).toHaveCount(0);
});

test("an admin finds every link and ends one, and members leave a group", async ({
  page,
  hearback,
}) => {
  const [greta] = await hearback.people(person("Greta", { admin: true }), "Gero");
  await signIn(page, greta!);
  const { id } = await send(page, "/updates", { title: "What the customer sees", publish: true });
  await send(page, `/updates/${id}/links`, { name: "Customer", comments: true });
  await send(page, `/updates/${id}/links`, { name: "Printer" });
  await page.goto("/people");
  await page.getByRole("link", { name: "Links", exact: true }).click();
  const row = page.getByRole("listitem").filter({ hasText: "Printer" });
  await expect(row).toContainText("not opened yet");
  await row.getByRole("button", { name: /^End/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "End the link" }).click();
  await expect(row).toContainText("ended");
  await expect(page).toHaveURL(/\/links$/);
  await look(page, "links");

  await send(page, "/groups", {
    name: "readers",
    members: ["greta@example.org", "gero@example.org"],
  });
  await page.goto("/groups");
  await look(page, "groups");
  await page.getByRole("button", { name: "Leave @readers" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await expect(page.locator(".group").filter({ hasText: "@readers" })).toContainText("1 person");
});
