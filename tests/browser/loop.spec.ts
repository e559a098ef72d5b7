// The whole path of an update, from sending it to the last answer, with people in four time zones who use mouse and
// keyboard. After each step, the author's receipts page must show exactly who still owes what.
import type { Page } from "@playwright/test";
import {
  entry,
  expectAsk,
  expectReceipts,
  kim,
  leo,
  nadia,
  receipt,
  rows,
  send,
  test,
  zofia,
} from "./loop.ts";
import { Scene } from "./scene.ts";
import { axe, checkPage, expect } from "./test.ts";

test("an author hears back from three people in other time zones, and asks them again after a change", async ({
  browser,
  frozenServer: held,
}) => {
  test.setTimeout(400_000);
  const scene = await Scene.create(browser, held, [nadia, kim, zofia, leo]);
  const [author, inAuckland, inKrakow, inSanFrancisco] = scene.pages as [Page, Page, Page, Page];
  const title = "The new rota";
  const question = "Who covers when both of us are ill?";
  let update = "";

  await test.step("Nadia sends a recording and asks three people to read it back", async () => {
    await author.goto("/inbox");
    update = await send(author, {
      title,
      notes:
        "From December the night shift begins at 22:00 and two of us hold it.\n\nThe handover is written, not spoken.",
      file: "rec-vp9-opus-10s.webm",
      to: [kim[0], zofia[0], leo[0]],
      back: "In their own words",
      within: 1,
      otherwise: "keep the old rota",
    });
    await expect(author.getByRole("heading", { name: title })).toBeVisible();
    await checkPage(author, "loop-sent");
    // Recipients are sorted by due time. If a recipient's time zone differs from the author's, the page also shows the
    // current time there.
    await expectReceipts(author, update, "Nobody has answered yet. 3 haven’t opened it.", {
      onThem: [zofia[0], leo[0], kim[0]],
    });
    for (const [name, due, there] of [
      [zofia[0], "Fri 17:00", ""],
      [leo[0], "Fri 17:00 Los Angeles, Sat 02:00 yours", "Thu 06:00"],
      [kim[0], "Mon 17:00 Auckland, Mon 05:00 yours", "Fri 03:00"],
    ] as const) {
      await expect(receipt(author, name).getByText(`by ${due}`, { exact: true })).toBeVisible();
      if (there !== "")
        await expect(
          receipt(author, name).getByText(`now ${there} there`, { exact: true }),
        ).toBeVisible();
    }
    await checkPage(author, "loop-receipts-sent");
  });

  await test.step("each recipient sees the due time in their own time zone", async () => {
    await scene.setTime("2026-11-19T20:30:00Z");
    // It was already Friday in Auckland when Nadia asked, so the next working day is Monday.
    await expectAsk(inAuckland, title, "Say it back by Mon 17:00");
    await expectAsk(inKrakow, title, "Say it back by Fri 17:00");
    await expectAsk(inSanFrancisco, title, "Say it back by Fri 17:00");
    for (const page of [inAuckland, inKrakow, inSanFrancisco]) {
      await expect(rows(page, "To answer")).toHaveCount(1);
      await expect(page).toHaveTitle("(1) Inbox · hearback");
      // The badge must be small enough to fit beside the word "Inbox".
      const [badge, item] = [
        await page.locator("#rail-count").boundingBox(),
        await page.getByRole("link", { name: /^Inbox/ }).boundingBox(),
      ];
      expect(badge!.width, "width of the number").toBeLessThan(item!.width / 2);
      expect(badge!.height, "height of the number").toBeLessThanOrEqual(20);
      await axe(page);
    }
    await checkPage(inAuckland, "loop-inbox-asked");
  });

  await test.step("before she answers, Kim asks a question about a moment in the video", async () => {
    await entry(inAuckland, title).locator(".title a").click();
    await expect(inAuckland.locator(".ask-words")).toContainText(
      "Say it back in your own words by Mon 17:00",
    );
    await expect(inAuckland.locator(".answer")).toContainText(
      "If Nadia Berg doesn’t hear back, they’ll keep the old rota",
    );
    await expect
      .poll(() =>
        inAuckland.locator("video").evaluate((video: HTMLVideoElement) => video.readyState),
      )
      .toBeGreaterThan(0);
    await inAuckland.keyboard.press("ArrowRight");
    await inAuckland.keyboard.press("q");
    await inAuckland.keyboard.type(question);
    await expect(inAuckland.locator(".anchor-chip")).toContainText("0:05");
    await inAuckland.keyboard.press("Control+Enter");
    await expect(inAuckland.locator(".question-tag")).toHaveText("Question · open");
    await checkPage(inAuckland, "loop-asked");
    await inAuckland.getByRole("link", { name: /^Inbox/ }).click();
    await expect(rows(inAuckland, "To answer")).toHaveCount(1);
    await expectReceipts(
      author,
      update,
      "Nobody has answered yet. 1 opened it but hasn’t answered. 2 haven’t opened it.",
      {
        onMe: [question],
        onThem: [zofia[0], leo[0], kim[0]],
      },
    );
  });

  await test.step("Zofia reads the update back", async () => {
    await scene.setTime("2026-11-20T08:30:00Z");
    await inKrakow.goto("/inbox");
    await inKrakow.keyboard.press("j");
    await inKrakow.keyboard.press("Enter");
    await expect(inKrakow.getByRole("heading", { name: title })).toBeVisible();
    await inKrakow.keyboard.press("a");
    await expect(inKrakow.getByLabel("What will you do, and by when?")).toBeFocused();
    await inKrakow.keyboard.type("From December I begin at 22:00, alone.");
    await checkPage(inKrakow, "loop-saying-back");
    await inKrakow.getByRole("button", { name: "Say it back" }).click();
    await expect(inKrakow.locator(".answer")).toContainText("You said it back");
    await inKrakow.goto("/inbox");
    await expect(inKrakow.getByText("You’re all caught up.")).toBeVisible();
    // The author's page is still open and updates itself.
    await expectReceipts(
      author,
      update,
      "1 of 3 heard. 1 opened it but hasn’t answered. 1 hasn’t opened it.",
      {
        onMe: [zofia[0], question],
        onThem: [leo[0], kim[0]],
        heard: [zofia[0]],
      },
    );
    await checkPage(author, "loop-receipts-to-hear");
    await expectAsk(author, title, "1 person said it back", "1 open question");
    await checkPage(author, "loop-inbox-author");
  });

  await test.step("Nadia corrects Zofia’s readback", async () => {
    await scene.setTime("2026-11-20T08:40:00Z");
    await rows(author, "To answer").getByRole("link", { name: "Review" }).click();
    await expect(author.locator(".to-hear")).toContainText(
      "From December I begin at 22:00, alone.",
    );
    await author.keyboard.press("j");
    await expect(author.locator(".to-hear")).toBeFocused();
    await author.keyboard.press("n");
    await expect(author.getByLabel("What’s not quite right?")).toBeFocused();
    await author.keyboard.type("Not alone: two of you.");
    await checkPage(author, "loop-correcting");
    await author.keyboard.press("Tab");
    await author.keyboard.press("Enter");
    await expectReceipts(
      author,
      update,
      "0 of 3 heard. 1 needs another try. 1 opened it but hasn’t answered. 1 hasn’t opened it.",
      {
        onMe: [question],
        onThem: [leo[0], kim[0], zofia[0]],
      },
    );
    await expect(receipt(author, zofia[0])).toContainText("needs another try");
    await expect(
      receipt(author, zofia[0]).getByText("by Mon 17:00", { exact: true }),
    ).toBeVisible();
  });

  await test.step("Zofia reads the update back again, and Nadia confirms the readback", async () => {
    await expectAsk(inKrakow, title, "Not quite: say it again by Mon 17:00");
    await checkPage(inKrakow, "loop-inbox-corrected");
    await rows(inKrakow, "To answer").locator(".title a").click();
    await expect(inKrakow.locator(".ask-words")).toContainText(
      "Nadia Berg: not quite Try again by Mon 17:00",
    );
    await inKrakow
      .getByLabel("What will you do, and by when?")
      .fill("From December two of us begin at 22:00; I bring the written handover.");
    await checkPage(inKrakow, "loop-saying-again");
    await inKrakow.getByRole("button", { name: "Say it back" }).click();
    await expect(inKrakow.locator(".answer")).toContainText("You said it back");
    await expectReceipts(
      author,
      update,
      "1 of 3 heard. 1 opened it but hasn’t answered. 1 hasn’t opened it.",
      {
        onMe: [zofia[0], question],
        onThem: [leo[0], kim[0]],
        heard: [zofia[0]],
      },
    );
    // The earlier correction is shown above the new readback.
    await expect(author.locator(".to-hear")).toContainText(
      "You: not quite. Not alone: two of you.",
    );
    await author.keyboard.press("j");
    await author.keyboard.press("y");
    await expectReceipts(
      author,
      update,
      "1 of 3 heard. 1 opened it but hasn’t answered. 1 hasn’t opened it.",
      {
        onMe: [question],
        onThem: [leo[0], kim[0]],
        heard: [zofia[0]],
      },
    );
    await author.locator("#heard > summary").click();
    await expect(receipt(author, zofia[0])).toContainText("Said it back, confirmed");
    await checkPage(author, "loop-receipts-confirmed");
    await inKrakow.goto("/inbox");
    await expect(rows(inKrakow, "New for you").and(entry(inKrakow, title))).toContainText(
      "Yes, that’s it",
    );
  });

  await test.step("Nadia answers Kim’s question", async () => {
    await author.getByRole("link", { name: "Answer Kim Tane" }).click();
    await expect(author.locator(".thread .chip")).toContainText("0:05");
    await author.locator(".reply-opener").click();
    await expect(author.getByLabel("Reply to Kim Tane")).toBeFocused();
    await author.keyboard.type("Then the day shift stays until midnight.");
    await author.keyboard.press("Control+Enter");
    await expect(author.locator(".question-tag")).toHaveText("Question · answered");
    await expectReceipts(
      author,
      update,
      "1 of 3 heard. 1 opened it but hasn’t answered. 1 hasn’t opened it.",
      {
        onThem: [leo[0], kim[0]],
        heard: [zofia[0]],
      },
    );
    await author.goto("/inbox");
    await expect(author.getByText("You’re all caught up.")).toBeVisible();
    await expect(rows(author, "Waiting on others").and(entry(author, title))).toContainText(
      "Due Sat 02:00",
    );
  });

  await test.step("Leo acknowledges another update with one click in the inbox", async () => {
    await send(author, {
      title: "The key of the back door",
      notes: "It lies with the guard now.",
      to: [leo[0]],
      back: "Got it",
      within: 1,
    });
    await scene.setTime("2026-11-20T18:00:00Z");
    await expectAsk(inSanFrancisco, "The key of the back door", "Got it by Mon 17:00");
    await expectAsk(inSanFrancisco, title, "Say it back by Fri 17:00");
    await inSanFrancisco
      .getByRole("link", { name: "The key of the back door", exact: true })
      .click();
    await expect(
      inSanFrancisco.getByRole("heading", { name: "The key of the back door" }),
    ).toBeVisible();
    await inSanFrancisco.getByRole("link", { name: /^Inbox/ }).click();
    await checkPage(inSanFrancisco, "loop-inbox-opened");
    await entry(inSanFrancisco, "The key of the back door")
      .getByRole("button", { name: "Got it" })
      .click();
    await expect(entry(inSanFrancisco, "The key of the back door")).toHaveCount(0);
    await expect(rows(inSanFrancisco, "To answer")).toHaveCount(1);
    await author.goto("/inbox");
    await expect(
      rows(author, "New for you").and(entry(author, "The key of the back door")),
    ).toContainText("Everyone has answered");
  });

  await test.step("Kim accepts the answer and reads the update back, and Leo’s answer is overdue", async () => {
    // 09:30 on Monday in Auckland, 12:30 on Sunday in San Francisco and 21:30 on Sunday in Berlin.
    await scene.setTime("2026-11-22T20:30:00Z");
    await inAuckland.goto("/inbox");
    await expect(rows(inAuckland, "New for you").and(entry(inAuckland, title))).toContainText(
      "Nadia Berg answered your question",
    );
    await checkPage(inAuckland, "loop-inbox-answered");
    await rows(inAuckland, "To answer").locator(".title a").click();
    await inAuckland.getByRole("button", { name: "Mark as answer" }).click();
    await expect(inAuckland.locator(".question-tag")).toHaveText("Question · accepted");
    await inAuckland
      .getByLabel("What will you do, and by when?")
      .fill("I ask the day shift tonight whether they agree.");
    await inAuckland.getByRole("button", { name: "Say it back" }).click();
    await expect(inAuckland.locator(".answer")).toContainText("You said it back");
    await expectReceipts(author, update, "2 of 3 heard. 1 hasn’t opened it.", {
      onMe: [kim[0]],
      onThem: [leo[0]],
      heard: [kim[0], zofia[0]],
    });
    await author.keyboard.press("j");
    await author.keyboard.press("y");
    await expectReceipts(author, update, "2 of 3 heard. 1 hasn’t opened it.", {
      onThem: [leo[0]],
      heard: [kim[0], zofia[0]],
    });
    await expect(receipt(author, leo[0])).toContainText("Overdue");
    await expect(
      receipt(author, leo[0]).getByText("by Fri 20 Nov 17:00 Los Angeles, Sat 21 Nov 02:00 yours", {
        exact: true,
      }),
    ).toBeVisible();
    await checkPage(author, "loop-receipts-overdue");
    await author.goto("/inbox");
    await expect(rows(author, "Waiting on others").and(entry(author, title))).toContainText(
      "Due Sat 21 Nov 02:00 · overdue",
    );
  });

  await test.step("Nadia reminds Leo, and the update moves to the top of his inbox", async () => {
    await scene.setTime("2026-11-23T17:00:00Z");
    // Another update is due soon, but the update with the reminder must be listed first.
    await send(inKrakow, {
      title: "Whose is the red cup",
      to: [leo[0]],
      back: "Got it",
      by: "2026-11-23T18:30",
    });
    await expectAsk(inSanFrancisco, title, "Say it back by Fri 20 Nov 17:00 · overdue");
    await author.goto(`${update}/receipts`);
    await author.getByRole("button", { name: "Remind" }).click();
    await expect(
      author.locator(".said").filter({ hasText: "Leo Park has been reminded." }),
    ).toBeVisible();
    await expect(
      author.getByLabel("Leo Park has been reminded. You can also send this message:"),
    ).toHaveValue(
      /^Answers to “The new rota” \(0:09\) are still missing from Leo Park \(by Fri 20 Nov 17:00, Los Angeles time\)\. http:\/\/\S+$/,
    );
    await expect(receipt(author, leo[0])).toContainText("reminded");
    await checkPage(author, "loop-reminded");
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "To answer").locator(".title")).toHaveText([
      title,
      "Whose is the red cup",
    ]);
    await expect(rows(inSanFrancisco, "To answer").first().locator(".tag")).toHaveText("Reminder");
    await checkPage(inSanFrancisco, "loop-inbox-reminded");
    await rows(inSanFrancisco, "To answer")
      .first()
      .getByRole("link", { name: title, exact: true })
      .click();
    await inSanFrancisco
      .getByLabel("What will you do, and by when?")
      .fill("Nothing changes for me before January.");
    await inSanFrancisco.getByRole("button", { name: "Say it back" }).click();
    await expect(inSanFrancisco.locator(".answer")).toContainText("You said it back");
    await expectReceipts(author, update, "All 3 heard.", {
      onMe: [leo[0]],
      heard: [kim[0], leo[0], zofia[0]],
    });
    await author.keyboard.press("j");
    await author.keyboard.press("y");
    await expectReceipts(author, update, "All 3 heard.", { heard: [kim[0], leo[0], zofia[0]] });
    await checkPage(author, "loop-receipts-all");
    await author.goto("/inbox");
    await expect(author.getByText("Nothing to answer.")).toBeVisible();
    await checkPage(author, "loop-inbox-done");
  });

  await test.step("Nadia changes the update and asks all three again", async () => {
    await scene.setTime("2026-11-24T09:00:00Z");
    await author.goto(update);
    await author.getByRole("link", { name: "Edit" }).click();
    await expect(author.getByRole("heading", { level: 1, name: "Edit" })).toBeVisible();
    await author
      .getByLabel("Notes")
      .fill(
        "From January the night shift begins at 22:00 and two of us hold it.\n\nThe handover is written, not spoken.",
      );
    await author.locator("#update-form").getByLabel("Ask 3 people again").check();
    await author
      .locator("#update-form")
      .getByLabel("What changed")
      .fill("January instead of December.");
    await checkPage(author, "loop-edit-again");
    await author.getByRole("button", { name: "Save" }).click();
    await expect(author.getByText("January instead of December.")).toBeVisible();
    await expectReceipts(author, update, "0 of 3 heard. 3 answered an earlier version.", {
      onThem: [kim[0], zofia[0], leo[0]],
    });
    for (const [name] of [kim, zofia, leo])
      await expect(receipt(author, name)).toContainText("answered an earlier version");
    await checkPage(author, "loop-receipts-stale");
  });

  await test.step("each recipient sees what changed and answers again", async () => {
    const again = [
      [inAuckland, kim[0], "Wed 17:00"],
      [inKrakow, zofia[0], "Wed 17:00"],
      [inSanFrancisco, leo[0], "Wed 17:00"],
    ] as const;
    for (const [page, name, due] of again) {
      await expectAsk(page, title, `Changed since you answered: answer again by ${due}`);
      await rows(page, "To answer")
        .and(entry(page, title))
        .getByRole("link", { name: title, exact: true })
        .click();
      await expect(page.locator(".ask-words")).toContainText(
        `Changed since you answered Answer again by ${due}`,
      );
      await expect(page.locator(".answer")).toContainText(
        "What changed: January instead of December.",
      );
      await expect(page.locator(".changes del")).toHaveText("December");
      await expect(page.locator(".changes ins")).toHaveText("January");
      await expect(page.locator(".answer")).toContainText("Your earlier answer");
      if (page === inKrakow) await checkPage(page, "loop-changed");
      await page.getByLabel("What will you do, and by when?").fill(`January, then. ${name}`);
      await page.getByRole("button", { name: "Say it back" }).click();
      await expect(page.locator(".answer")).toContainText("You said it back");
    }
    await expectReceipts(author, update, "All 3 heard.", {
      onMe: [kim[0], leo[0], zofia[0]],
      heard: [kim[0], leo[0], zofia[0]],
    });
    for (const left of [2, 1, 0]) {
      await author.keyboard.press("j");
      await author.keyboard.press("y");
      await expect(author.locator(".to-hear")).toHaveCount(left);
    }
    await expectReceipts(author, update, "All 3 heard.", { heard: [kim[0], leo[0], zofia[0]] });
    await author.goto(`${update}/versions`);
    await expect(author.getByRole("heading", { name: "Version 1" })).toBeVisible();
    await checkPage(author, "loop-versions");
  });
});
