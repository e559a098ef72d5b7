// The list of all share links, leaving a group, and access for people who join a group later.
import type { Page } from "@playwright/test";
import { expect, checkPage, person, signIn, test } from "./test.ts";

const audience = (page: Page) => page.locator("people-field input:visible");

/** Posts JSON from the page, so that the request has the page's session. Returns the parsed response. */
const postJson = (page: Page, path: string, fields: object) =>
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

/**
 * Returns whether the saved draft has one group in its audience and gives access to people who join the group later.
 */
const isSavedWithLaterMembers = (page: Page) =>
  page.evaluate(async () => {
    // Before the first save, the address is /updates/new, and there is no draft to fetch.
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

const laterMembersBox = (page: Page) =>
  page.getByRole("checkbox", { name: /^Also people who join/ });

test("an author who adds a group to the audience can give access to people who join the group later", async ({
  page,
  hearback,
}) => {
  const [tove] = await hearback.addPeople("Tove", "Tomas");
  await signIn(page, tove!);
  await postJson(page, "/groups", { name: "design", members: ["tomas@example.org"] });
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("For the designers");
  await audience(page).fill("tomas@example.org");
  await audience(page).press("Enter");
  await expect(laterMembersBox(page)).toBeHidden();
  await audience(page).fill("@design");
  await audience(page).press("Enter");
  await expect(
    page.getByRole("checkbox", { name: "Also people who join @design later" }),
  ).not.toBeChecked();
  await laterMembersBox(page).check();
  await expect.poll(() => isSavedWithLaterMembers(page)).toBe(true);
  await page.reload();
  await expect(laterMembersBox(page)).toBeChecked();
  await checkPage(page, "later-members");

  await page.getByRole("button", { name: "Remove @design" }).click();
  await expect(laterMembersBox(page)).toBeHidden();
  await audience(page).fill("@design");
  await audience(page).press("Enter");
  // A checkbox that was hidden is unchecked when it reappears.
  await expect(laterMembersBox(page)).not.toBeChecked();
  await laterMembersBox(page).check();
  await page.getByRole("button", { name: "Send" }).click();
  // The edit form also contains the text that is expected below. Wait until the page of the update has replaced it.
  await expect(page).not.toHaveURL(/\/edit/);
  await expect(page.getByText("people who join @design later")).toBeVisible();

  await page.goto(`${page.url().split("#")[0]}/edit`);
  await laterMembersBox(page).uncheck();
  await page.getByRole("button", { name: "Save", exact: true }).last().click();
  await expect(page.getByRole("heading", { name: "For the designers" })).toBeVisible();
  await expect(page.getByText("people who join @design later")).toHaveCount(0);
});

test("an admin turns off a share link in the list of all links, and a member leaves a group", async ({
  page,
  hearback,
}) => {
  const [greta] = await hearback.addPeople(person("Greta", { admin: true }), "Gero");
  await signIn(page, greta!);
  const { id } = await postJson(page, "/updates", {
    title: "What the customer sees",
    publish: true,
  });
  await postJson(page, `/updates/${id}/links`, { name: "Customer", comments: true });
  await postJson(page, `/updates/${id}/links`, { name: "Printer" });
  await page.goto("/people");
  await page.getByRole("link", { name: "Links", exact: true }).click();
  const row = page.getByRole("listitem").filter({ hasText: "Printer" });
  await expect(row).toContainText("not opened yet");
  await row.getByRole("button", { name: /^Turn off/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Turn off the link" }).click();
  await expect(row).toContainText("turned off");
  await expect(page).toHaveURL(/\/links$/);
  await checkPage(page, "links");

  await postJson(page, "/groups", {
    name: "readers",
    members: ["greta@example.org", "gero@example.org"],
  });
  await page.goto("/groups");
  await checkPage(page, "groups");
  await page.getByRole("button", { name: "Leave @readers" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
  await expect(page.locator(".group").filter({ hasText: "@readers" })).toContainText("1 person");
});
