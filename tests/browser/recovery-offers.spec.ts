// Which unfinished recordings are offered to whom, and what can be done with them.
import { parseSafeSeconds } from "./recording.ts";
import { continueUpload, expectComplete, offers, readOffer, test } from "./recovery.ts";
import { checkPage, expect, signIn } from "./test.ts";

test.describe.configure({ timeout: 180_000 });

test(
  "another person in the same browser is not offered the recording",
  { tag: "@once" },
  async ({ server, account, studio }, info) => {
    await studio.recordUntilSafe(3);
    const [other] = await server.addPeople("Otto");
    const tab = await studio.context.newPage();
    await signIn(tab, other!);
    await expect(studio.progressMessage).toContainText("Someone else is signed in");
    await studio.page.close({ runBeforeUnload: false });
    await tab.goto("/updates/new");
    await expect(tab.getByRole("heading", { name: "New update" })).toBeVisible();
    await expect(offers(tab)).toHaveCount(0);
    await signIn(tab, account);
    await tab.goto("/inbox");
    const { recorded } = await readOffer(tab);
    await expectComplete(tab, await continueUpload(tab), studio.chunks, recorded - 1, info);
  },
);

test("a recording that was started in another browser is offered with the part that was uploaded", async ({
  server,
  studio,
  browser,
  account,
}, info) => {
  await studio.recordUntilSafe(4);
  await studio.killBrowser();
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await signIn(page, account);
  await page.goto("/inbox");
  await expect(page.getByRole("heading", { name: "Inbox" })).toBeVisible();
  // The recording may still be running in the other browser, so it is not offered yet.
  await expect(offers(page)).toHaveCount(0);
  await page.clock.setFixedTime(Date.now() + 1_200_000);
  await page.reload();
  await expect(offers(page)).toContainText(
    /recording of .+, started in another browser\s*[\d.]+ [kM]B uploaded\./,
  );
  await offers(page).getByRole("button", { name: "Finish here" }).click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  await expectComplete(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!, studio.chunks, 3, info);
  await context.close();
});

test("a recording removed from its draft elsewhere is not shown as safe and cannot be continued", async ({
  account,
  studio,
  browser,
  server,
}) => {
  await studio.recordUntilSafe(3);
  const { page } = studio;
  const elsewhere = await (await browser.newContext({ baseURL: server.url })).newPage();
  await signIn(elsewhere, account);
  await elsewhere.goto(page.url());
  await elsewhere.getByRole("button", { name: /^Remove Recording/ }).click();
  await expect(elsewhere.getByRole("dialog")).toContainText("may still be recording");
  await elsewhere.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.locator("[data-do=open]")).toBeVisible();
  const deletedMessage = /0:\d\d was deleted on the server; 0:\d\d is left in this browser\./;
  await expect(page.locator("[data-part=problem]")).toContainText(deletedMessage);
  await expect(page.locator("[data-part=problem]")).not.toContainText("afe on the server");
  for (const at of [page.url(), "/inbox"]) {
    await page.goto(at);
    await expect(offers(page)).toContainText(deletedMessage);
    await expect(offers(page)).not.toContainText("afe on the server");
    await expect(offers(page).getByRole("button", { name: /Continue|Finish/ })).toHaveCount(0);
  }
  await offers(page).getByRole("button", { name: "Discard" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(offers(page)).toHaveCount(0);
});

test(
  "a postponed recording is offered again, and a discarded one is deleted everywhere",
  { tag: "@once" },
  async ({ studio }) => {
    await studio.recordUntilSafe(3);
    const { page } = studio;
    await page.close({ runBeforeUnload: false });
    const tab = await studio.context.newPage();
    await tab.goto("/inbox");
    await offers(tab).getByRole("button", { name: "Keep for later" }).click();
    await expect(offers(tab)).toContainText(
      "Kept. The recording is offered again when you next open Hearback",
    );
    await expect(offers(tab)).toBeFocused();
    await expect(offers(tab).getByRole("button")).toHaveCount(0);
    await tab.reload();
    await expect(tab.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(offers(tab)).toHaveCount(0);
    const next = await studio.context.newPage();
    await next.goto("/inbox");
    await expect(offers(next)).toHaveCount(1);
    await checkPage(next, "kept");
    await offers(next).getByRole("button", { name: "Discard" }).click();
    await next.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
    await expect(offers(next)).toHaveCount(1);
    await offers(next).getByRole("button", { name: "Discard" }).click();
    await next.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await expect(offers(next)).toHaveCount(0);
    await next.reload();
    await expect(next.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(offers(next)).toHaveCount(0);
    expect(
      await (
        await next.request.get("/uploads", { headers: { accept: "application/json" } })
      ).json(),
    ).toMatchObject({ items: [] });
  },
);

test(
  "each unfinished recording is shown with its draft's title, and the page of a draft offers only its own recordings",
  { tag: "@once" },
  async ({ studio, account, browser, server }) => {
    const drafts: string[] = [];
    for (const title of ["The first one", "The second one"]) {
      const page = await studio.context.newPage();
      await page.goto("/updates/new");
      await page.getByLabel("Title").fill(title);
      await page.locator("[data-do=open]").click();
      await page.getByRole("radio", { name: "Camera", exact: true }).check();
      await page.locator("[data-do=record]").click();
      await expect
        .poll(async () => parseSafeSeconds(await page.locator("[data-part=safety]").innerText()), {
          timeout: 30_000,
        })
        .toBeGreaterThanOrEqual(2);
      drafts.push(new URL(page.url()).pathname);
      // In another browser, the page of the draft shows that the recording is running.
      if (title === "The first one") {
        const elsewhere = await (await browser.newContext({ baseURL: server.url })).newPage();
        await signIn(elsewhere, account);
        await elsewhere.goto(drafts[0]!);
        await expect(elsewhere.locator(".media-item")).toContainText("Still uploading.");
        // Set the page's clock two minutes ahead, as if the server had received nothing for two minutes.
        await elsewhere.clock.setFixedTime(Date.now() + 120_000);
        await elsewhere.reload();
        await expect(elsewhere.locator(".media-item")).toContainText(
          "The recording is paused, or its page was closed.",
        );
        await expect(offers(elsewhere)).toHaveCount(0);
        await elsewhere.context().close();
      }
      await page.close({ runBeforeUnload: false });
    }
    const { page } = studio;
    await page.goto("/inbox");
    await expect(offers(page).filter({ hasText: "in “The first one”" })).toHaveCount(1);
    await expect(offers(page)).toHaveCount(2);
    await page.goto(drafts[1]!);
    await expect(offers(page)).toHaveCount(1);
    await expect(offers(page)).toContainText("in “The second one”");
    await expect(page.locator(".media-item")).toContainText("Unfinished.");
    await expect(page.locator(".media-item")).not.toContainText("Still uploading.");
    await checkPage(page, "kept-draft");
    await offers(page)
      .getByRole("button", { name: /^(Continue the upload|Finish)$/ })
      .click();
    await expect(offers(page)).toHaveCount(0);
    await expect(page).toHaveURL(drafts[1]!);
    await expect(page.locator(".media-item video")).toBeVisible();
  },
);
