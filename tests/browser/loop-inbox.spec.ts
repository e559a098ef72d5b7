// A recipient works through the inbox.
import type { Page } from "@playwright/test";
import { entry, expectReceipts, kim, leo, nadia, receipt, rows, send, test } from "./loop.ts";
import { Scene } from "./scene.ts";
import { checkPage, expect } from "./test.ts";

test("a recipient empties the inbox by postponing, muting, acknowledging and objecting to updates", async ({
  browser,
  frozenServer: held,
}) => {
  test.setTimeout(240_000);
  const scene = await Scene.create(browser, held, [nadia, leo, kim]);
  const [author, inSanFrancisco] = scene.pages as [Page, Page];
  const [drill, menu, budget, printer] = [
    "The fire drill",
    "What there is to eat",
    "The budget of the team",
    "The printer is back",
  ];
  let asked = "";

  await test.step("Nadia sends four updates, and two of them ask for an answer", async () => {
    // 09:00 in San Francisco.
    await scene.setTime("2026-11-19T17:00:00Z");
    await author.goto("/inbox");
    await send(author, { title: drill, to: [leo[0]], back: "Got it", within: 1 });
    asked = await send(author, {
      title: budget,
      notes: "A tenth less.",
      to: [leo[0], kim[0]],
      back: "In their own words",
      within: 2,
    });
    await send(author, { title: menu, to: [leo[0]], back: "Nothing" });
    await scene.setTime("2026-11-19T17:01:00Z");
    await send(author, { title: printer, to: [leo[0]], back: "Nothing" });
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "To answer").locator(".title")).toHaveText([drill, budget]);
    await expect(rows(inSanFrancisco, "New for you").locator(".title")).toHaveText([printer, menu]);
    await expect(rows(inSanFrancisco, "To answer").locator(".ask")).toHaveText([
      "Got it by Fri 17:00",
      "Say it back by Mon 17:00",
    ]);
    await checkPage(inSanFrancisco, "loop-inbox-four");
  });

  await test.step("Leo postpones an update, brings it back and postpones it again", async () => {
    const later = async () => {
      await inSanFrancisco.keyboard.press("j");
      await inSanFrancisco.keyboard.press("j");
      await expect(entry(inSanFrancisco, budget)).toBeFocused();
      await inSanFrancisco.keyboard.press("s");
      await expect(
        entry(inSanFrancisco, budget).getByRole("button", { name: "Tomorrow morning" }),
      ).toBeFocused();
    };
    await later();
    await checkPage(inSanFrancisco, "loop-later");
    // The row below must not cover the menu.
    await entry(inSanFrancisco, budget)
      .getByRole("button", { name: "Mute this update" })
      .click({ trial: true });
    await inSanFrancisco.keyboard.press("Enter");
    await expect(rows(inSanFrancisco, "To answer").locator(".title")).toHaveText([drill]);
    await expect(inSanFrancisco).toHaveTitle("(1) Inbox · hearback");
    await inSanFrancisco.locator("#later > summary").click();
    await expect(inSanFrancisco.locator("#later .row")).toContainText(`${budget}`);
    await expect(inSanFrancisco.locator("#later .row")).toContainText("until Fri 09:00");
    await checkPage(inSanFrancisco, "loop-put-off");
    await inSanFrancisco.getByRole("button", { name: "Bring back" }).click();
    await expect(rows(inSanFrancisco, "To answer")).toHaveCount(2);
    await inSanFrancisco.goto("/inbox");
    await later();
    await inSanFrancisco.keyboard.press("Enter");
    await expect(rows(inSanFrancisco, "To answer")).toHaveCount(1);
    // Postponing an update is not a response, so the author is still waiting for Leo.
    await expectReceipts(author, asked, "Nobody has answered yet. 2 haven’t opened it.", {
      onThem: [leo[0], kim[0]],
    });
  });

  await test.step("replies to a muted update stay out of the inbox", async () => {
    await entry(inSanFrancisco, printer).locator("[data-later]").click();
    await entry(inSanFrancisco, printer).getByRole("button", { name: "Mute this update" }).click();
    await expect(rows(inSanFrancisco, "New for you").locator(".title")).toHaveText([menu]);
    for (const title of [printer, menu]) {
      await inSanFrancisco.goto("/updates");
      await inSanFrancisco.getByRole("link", { name: title, exact: true }).click();
      await inSanFrancisco.locator("#body").fill("Since when?");
      await inSanFrancisco.keyboard.press("Control+Enter");
      await expect(inSanFrancisco.locator(".comment")).toHaveCount(1);
    }
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "New for you")).toHaveCount(0);
    for (const title of [printer, menu]) {
      await author.goto("/updates");
      await author.getByRole("link", { name: title, exact: true }).click();
      await author.locator(".reply-opener").click();
      await expect(author.getByLabel("Reply to Leo Park")).toBeFocused();
      await author.keyboard.type("Since today.");
      await author.keyboard.press("Control+Enter");
      await expect(author.locator(".replies .comment")).toHaveCount(1);
    }
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "New for you").locator(".title")).toHaveText([menu]);
    await expect(rows(inSanFrancisco, "New for you").locator(".row-text .meta")).toHaveText(
      /^\s*Nadia Berg commented/,
    );
  });

  await test.step("the postponed update returns, and Leo works through his inbox", async () => {
    await scene.setTime("2026-11-20T17:01:00Z");
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "To answer").locator(".title")).toHaveText([drill, budget]);
    await inSanFrancisco.keyboard.press("i");
    await expect(inSanFrancisco.getByRole("heading", { level: 1, name: drill })).toBeVisible();
    await inSanFrancisco.getByRole("button", { name: "Got it" }).click();
    await expect(inSanFrancisco.locator(".answer")).toContainText("You got it");
    // Leo can withdraw his answer. The due time does not change.
    await inSanFrancisco.getByRole("button", { name: "Undo my answer" }).click();
    await expect(inSanFrancisco.locator(".ask-words")).toContainText(
      "Let Nadia Berg know you got it by Fri 17:00",
    );
    await inSanFrancisco.getByRole("button", { name: "Got it" }).click();
    await expect(inSanFrancisco.locator(".answer")).toContainText("You got it");
    await checkPage(inSanFrancisco, "loop-got-it");

    await inSanFrancisco.getByRole("link", { name: "Next in the inbox" }).click();
    await expect(inSanFrancisco.getByRole("heading", { level: 1, name: budget })).toBeVisible();
    await inSanFrancisco.getByText("I heard it, but …").first().click();
    const reason = inSanFrancisco.getByLabel("What’s in the way?");
    await reason.fill("   ");
    await inSanFrancisco.getByRole("button", { name: "Send" }).click();
    await expect(inSanFrancisco.locator("#complaint")).toContainText(
      "This is missing. Say what’s in the way.",
    );
    await reason.fill("we have spent it already.");
    await checkPage(inSanFrancisco, "loop-declining");
    await inSanFrancisco.getByRole("button", { name: "Send" }).click();
    await expect(inSanFrancisco.locator(".answer")).toContainText("You heard it, but …");
    await expect(inSanFrancisco.locator("#complaint")).toHaveCount(0);

    await inSanFrancisco.keyboard.press("i");
    await expect(inSanFrancisco.getByRole("heading", { level: 1, name: menu })).toBeVisible();
    await inSanFrancisco.getByRole("link", { name: "Next in the inbox" }).click();
    await expect(inSanFrancisco.getByText("That’s everything.", { exact: true })).toBeVisible();
    await expect(inSanFrancisco.getByText("You’re all caught up.")).toBeVisible();
    await expect(inSanFrancisco).toHaveTitle("Inbox · hearback");
    await checkPage(inSanFrancisco, "loop-inbox-empty");
  });

  await test.step("Nadia reads the reason for the objection", async () => {
    await author.goto("/inbox");
    await expect(rows(author, "New for you").and(entry(author, budget))).toContainText(
      "Leo Park objects",
    );
    await expect(rows(author, "New for you").and(entry(author, budget))).toContainText(
      "“… but we have spent it already.”",
    );
    await expectReceipts(author, asked, "0 of 2 heard. 1 objects. 1 hasn’t opened it.", {
      onThem: [kim[0]],
      objections: [leo[0]],
    });
    await expect(receipt(author, leo[0])).toContainText("“we have spent it already.”");
    await expect(receipt(author, leo[0]).getByText("Reply to Leo Park")).toBeVisible();
    await checkPage(author, "loop-receipts-declined");
  });
});
