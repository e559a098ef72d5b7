// The main journey through the product: setup, an acknowledged update, a guest and a revoked share link.
import type { Browser, Page } from "@playwright/test";
import {
  expect,
  fixture,
  checkPage,
  person,
  createFirstAccount,
  signIn,
  test,
  type Hearback,
} from "./test.ts";

/** Opens a page in a new browser context without a session. */
async function openPage(browser: Browser, server: Hearback): Promise<Page> {
  const context = await browser.newContext({
    baseURL: server.url,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  return context.newPage();
}

test("a team sets up Hearback, acknowledges an update and revokes a share link", async ({
  browser,
  freshServer,
}) => {
  test.setTimeout(240_000);
  const ada = await openPage(browser, freshServer);

  // Ada creates the first account.
  await ada.goto(freshServer.setUpLink);
  await checkPage(ada, "set-up");
  await createFirstAccount(ada, freshServer, person("Ada"));
  await expect(ada.getByRole("heading", { name: "Inbox" })).toBeVisible();
  await checkPage(ada, "inbox-first-day");

  // Ada invites Bob, who accepts the invitation.
  await ada.goto("/people");
  await ada.getByLabel("E-mail addresses").fill("bob@example.org\ncleo@example.org");
  await ada.getByRole("button", { name: "Create links" }).click();
  const link = await ada.getByLabel("bob@example.org").inputValue();
  await checkPage(ada, "people");
  const bob = await openPage(browser, freshServer);
  await bob.goto(link);
  await checkPage(bob, "invitation");
  // The first field is focused, so Bob needs only the keyboard.
  await expect(bob.getByLabel("Your name")).toBeFocused();
  await bob.keyboard.type("Bob");
  await bob.keyboard.press("Tab");
  await bob.keyboard.type("correct horse battery");
  await bob.keyboard.press("Enter");
  await expect(bob.getByRole("heading", { name: "Inbox" })).toBeVisible();

  // Ada uploads a recording and a screenshot, chooses the audience and sends the update.
  await ada.goto("/updates/new");
  await checkPage(ada, "new");
  await ada
    .locator("upload-queue input[type=file]")
    .setInputFiles([fixture("rec-vp9-opus-10s.webm"), fixture("shot-1280x800.png")]);
  await expect(ada.locator(".media-item[data-media]")).toHaveCount(2);
  await expect(ada).toHaveURL(/\/updates\/[0-9a-z]+\/edit/);
  await ada.getByLabel("Title").fill("The new flow");
  await ada.getByLabel("Notes").fill("See **this** before Monday.");
  const audience = ada.locator("people-field input:visible").first();
  await audience.fill("bob@example.org");
  await audience.press("Enter");
  await ada.getByText("Got it", { exact: true }).click();
  await expect(ada.locator("#save-state")).toContainText("Saved");
  await checkPage(ada, "draft");
  await ada.keyboard.press("Control+Enter");
  await expect(ada.getByRole("heading", { name: "The new flow" })).toBeVisible();
  await expect(ada.locator("video")).toBeVisible();
  const address = ada.url().split("#")[0]!;

  // Bob finds the update in his inbox, opens it and comments on a moment in the video.
  await bob.goto("/inbox");
  await expect(bob.getByRole("link", { name: "The new flow", exact: true })).toBeVisible();
  await checkPage(bob, "inbox");
  await bob.getByRole("link", { name: "The new flow", exact: true }).click();
  await expect(bob).toHaveURL(address);
  await expect(ada.getByText(/hasn’t opened it/)).toHaveCount(0);
  await expect
    .poll(() => bob.locator("video").evaluate((video: HTMLVideoElement) => video.readyState))
    .toBeGreaterThan(0);
  await bob.locator("video").evaluate((video: HTMLVideoElement) => {
    video.currentTime = 4;
  });
  await bob.locator("#body").pressSequentially("What is **this**?");
  await expect(bob.locator(".anchor-chip")).toContainText("0:04");
  await bob.locator("#body").press("Control+Enter");
  await expect(bob.locator(".comment .body")).toContainText("What is this?");
  await expect(bob.locator(".comment .chip")).toContainText("0:04");

  // The comment appears on Ada's page without a reload, and she replies.
  await expect(ada.locator(".comment .body")).toContainText("What is this?");
  await ada.locator(".reply-opener").click();
  await ada.locator(".reply-form textarea").fill("The menu.");
  await ada.locator(".reply-form").getByRole("button", { name: "Reply" }).click();
  await expect(bob.locator(".replies .body")).toContainText("The menu.");

  // Bob acknowledges the update, and Ada's page shows the acknowledgement.
  await bob.getByRole("button", { name: "Got it" }).click();
  await expect(bob.locator(".answer")).toContainText("You got it");
  await expect(ada.locator("#answers")).toContainText("Bob");
  await expect(ada.locator("#answers")).toContainText(/1 of 1|got it/i);
  await checkPage(bob, "update-recipient");
  await checkPage(ada, "update-author");

  // Ada creates a share link. A guest opens it, enters a name and comments.
  await ada.getByRole("button", { name: "Share" }).click();
  await ada.getByText("Options", { exact: true }).click();
  await ada.getByLabel("Who is this link for?").fill("Customer");
  await ada.getByRole("button", { name: "New link" }).click();
  const open = await ada.locator('input[value*="/s/"]').first().inputValue();
  await expect(ada.locator("undo-field")).toHaveCount(1);
  await expect(ada.locator("update-stage img:visible")).toHaveCount(
    await ada.locator(".strip img").count(),
  );
  await checkPage(ada, "share");
  const guest = await openPage(browser, freshServer);
  await guest.goto(open);
  await expect(guest.getByRole("heading", { name: "The new flow" })).toBeVisible();
  await expect(guest.getByText("What is this?")).toHaveCount(0);
  await expect
    .poll(() => guest.locator("video").evaluate((video: HTMLVideoElement) => video.readyState))
    .toBeGreaterThan(0);
  await checkPage(guest, "guest");
  await guest.locator("#body").fill("Looks good from here.");
  await guest.locator("#body").press("Control+Enter");
  await guest.getByRole("dialog").getByLabel("Your name").fill("Gwen");
  await guest.getByRole("button", { name: "Continue" }).click();
  await expect(guest.locator(".comment .body")).toContainText("Looks good from here.");
  await expect(ada.getByText("Looks good from here.")).toBeVisible();
  await expect(ada.getByText(/guest of .*Customer/)).toBeVisible();

  // A revoked link gives access neither to the page nor to its media.
  const media = await guest
    .locator("video")
    .evaluate((video: HTMLVideoElement) => video.currentSrc);
  if (!(await ada.locator("#share").isVisible()))
    await ada.getByRole("button", { name: "Share" }).click();
  await ada.getByRole("button", { name: /^Turn off the link/ }).click();
  await ada.getByRole("dialog").getByRole("button", { name: "Turn off the link" }).click();
  await expect(ada.locator("#links")).toContainText("turned off");
  expect((await guest.request.get(media)).status()).toBe(404);
  await guest.goto(open);
  await expect(guest.getByText("This link no longer works. Ask for a new one.")).toBeVisible();
  await checkPage(guest, "dead-link");

  await expect
    .poll(async () =>
      (
        await ada.request.get("/updates?q=menu", { headers: { accept: "application/json" } })
      ).text(),
    )
    .toContain("The new flow");
  await ada.goto("/updates?q=menu");
  await checkPage(ada, "library");
  await ada.goto("/me");
  await checkPage(ada, "settings");
  await ada.goto(`${address}/edit`);
  await checkPage(ada, "edit");
  await ada.getByRole("button", { name: "Move to trash" }).click();
  await expect(ada.getByRole("link", { name: "The new flow" })).toBeVisible();
  await checkPage(ada, "trash");
  await bob.goto(address);
  await checkPage(bob, "nothing-here");
});

test("an update can be published and commented on without scripts", async ({
  browser,
  hearback,
}) => {
  const [ivy] = await hearback.addPeople("Ivy");
  const context = await browser.newContext({ baseURL: hearback.url, javaScriptEnabled: false });
  const page = await context.newPage();
  await signIn(page, ivy!);
  await page.goto("/updates/new");
  // Recording and screenshots need scripts, so they are not offered.
  await expect(page.locator("screen-recorder")).toBeHidden();
  await page.locator("input[type=file]").first().setInputFiles(fixture("shot-1280x800.png"));
  await page.getByLabel("Title").fill("Plain");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(page.getByRole("heading", { name: "Plain" })).toBeVisible();
  await page.locator("#body").fill("Written without scripts.");
  await page.getByRole("button", { name: "Comment" }).click();
  await expect(page.locator(".comment .body")).toContainText("Written without scripts.");
});
