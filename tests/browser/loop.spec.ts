// The whole loop with people in four time zones, by mouse and keyboard. The server and all browsers share one clock,
// which stands still. After each step, the author's receipts page must show exactly who still owes what.
import type { Locator, Page } from "@playwright/test";
import { axe, expect, fixture, Hearback, checkPage, test as base } from "./test.ts";
import { Scene, type Place } from "./scene.ts";

/** 15:00 in Berlin and Warsaw, 06:00 in San Francisco, and 03:00 on Friday in Auckland. */
const thursday = "2026-11-19T14:00:00Z";

const nadia: Place = ["Nadia Berg", "Europe/Berlin", "de-DE"];
const kim: Place = ["Kim Tane", "Pacific/Auckland", "en-NZ"];
const zofia: Place = ["Zofia Nowak", "Europe/Warsaw", "pl-PL"];
const leo: Place = ["Leo Park", "America/Los_Angeles", "en-US"];

/** `frozenServer` is a server for one test, whose clock stands still on a Thursday. */
const test = base.extend<{ frozenServer: Hearback }>({
  frozenServer: async ({}, use) => {
    const server = await Hearback.start("loop", {}, thursday);
    await use(server);
    await server.stop();
  },
});

interface UpdateFields {
  title: string;
  notes?: string;
  file?: string;
  to: string[];
  back: "Nothing back" | "Got it" | "Say it back";
  /** The due time: `within` counts the recipients' working days, and `by` is a time in the author's time zone. */
  within?: number;
  by?: string;
  otherwise?: string;
}

/** Writes and sends an update. Ends on its page and returns its path. */
async function send(
  page: Page,
  { title, notes, file, to, back, within, by, otherwise }: UpdateFields,
): Promise<string> {
  await page.getByRole("link", { name: "New", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "New update" })).toBeVisible();
  if (file !== undefined) {
    await page.locator("input[type=file]").first().setInputFiles(fixture(file));
    await expect(page.locator("[data-media]")).toHaveCount(1);
  }
  await page.getByLabel("Title").fill(title);
  if (notes !== undefined) await page.getByLabel("Notes").fill(notes);
  const audience = page.getByRole("combobox", { name: "Who it is for" });
  for (let chips = await page.locator(".person-chip").count(); chips > 0; chips--)
    await audience.press("Backspace");
  for (const name of to) {
    await audience.pressSequentially(name.split(" ")[0]!);
    await page.getByRole("option", { name }).click();
  }
  await page.getByRole("radio", { name: back, exact: true }).check();
  if (within !== undefined)
    await page.getByRole("spinbutton", { name: "Working days" }).fill(String(within));
  if (by !== undefined) await page.getByLabel("Date and time", { exact: true }).fill(by);
  if (otherwise !== undefined)
    await page.getByLabel("If I hear nothing by then, I will").fill(otherwise);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.locator("undo-field")).toContainText(
    `Sent to ${to.length} ${to.length === 1 ? "person" : "people"}`,
  );
  return new URL(page.url()).pathname;
}

/** The rows of a section of the inbox. */
const rows = (page: Page, section: "To answer" | "To hear" | "Waiting on others") =>
  page.getByRole("region", { name: section }).locator(".entry");

/** The row of an update in any section of the inbox. */
const entry = (page: Page, title: string) =>
  page.locator(".entry", { has: page.getByRole("link", { name: title, exact: true }) });

/** Opens the inbox, and expects the request and the due time in the row of an update. */
async function expectAsk(page: Page, title: string, ...words: string[]): Promise<void> {
  await page.goto("/inbox");
  await expect(rows(page, "To answer").and(entry(page, title)).locator(".ask")).toHaveText(words);
}

/** The row of a person on the receipts page. */
const receipt = (page: Page, name: string) =>
  page.locator(".receipt", { has: page.locator(".name", { hasText: name }) });

/** Opens the receipts page unless it is open. Expects its heading, and the names in each of its sections in order. */
async function expectReceipts(
  page: Page,
  update: string,
  sentence: string,
  parts: { onMe?: string[]; objections?: string[]; onThem?: string[]; heard?: string[] },
): Promise<void> {
  if (new URL(page.url()).pathname !== `${update}/receipts`) await page.goto(`${update}/receipts`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(sentence);
  const names = (within: Locator) => within.locator(".to-hear strong, .rows .title a, .name");
  await expect(names(page.getByRole("region", { name: "Waiting on you" }))).toHaveText(
    parts.onMe ?? [],
  );
  await expect(names(page.getByRole("region", { name: "Objections" }))).toHaveText(
    parts.objections ?? [],
  );
  await expect(names(page.getByRole("region", { name: "Waiting on them" }))).toHaveText(
    parts.onThem ?? [],
  );
  await expect(names(page.locator("#heard"))).toHaveText(parts.heard ?? []);
}

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
      back: "Say it back",
      within: 1,
      otherwise: "keep the old rota",
    });
    await expect(author.getByRole("heading", { name: title })).toBeVisible();
    await checkPage(author, "loop-sent");
    // Recipients are sorted by due time. If a recipient's time zone differs from the author's, the page also shows the
    // current time there.
    await expectReceipts(author, update, "Nobody has answered yet. 3 have not opened it.", {
      onThem: [zofia[0], leo[0], kim[0]],
    });
    for (const [name, due, there] of [
      [zofia[0], "Fri 17:00", ""],
      [leo[0], "Fri 17:00", "Thu 06:00"],
      [kim[0], "Mon 17:00", "Fri 03:00"],
    ] as const) {
      await expect(
        receipt(author, name).getByText(`by ${due}${there === "" ? "" : " there"}`, {
          exact: true,
        }),
      ).toBeVisible();
      if (there !== "")
        await expect(
          receipt(author, name).getByText(`now ${there}`, { exact: true }),
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

  await test.step("Kim asks a question at a time of the video before she answers", async () => {
    await entry(inAuckland, title).getByRole("link", { name: "Open" }).click();
    await expect(inAuckland.locator(".ask-words")).toContainText(
      "Nadia Berg asks you to say it back by Mon 17:00",
    );
    await expect(inAuckland.locator(".answer")).toContainText(
      "If nothing is heard by then, Nadia Berg will: keep the old rota",
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
      "Nobody has answered yet. 2 have not opened it. 1 question is open.",
      {
        onMe: [question],
        onThem: [zofia[0], leo[0], kim[0]],
      },
    );
  });

  await test.step("Zofia reads it back", async () => {
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
    await expect(inKrakow.getByText("Nobody is waiting for you.")).toBeVisible();
    // The author's page is still open and updates itself.
    await expectReceipts(author, update, "1 of 3 heard. 1 has not opened it. 1 question is open.", {
      onMe: [zofia[0], question],
      onThem: [leo[0], kim[0]],
      heard: [zofia[0]],
    });
    await checkPage(author, "loop-receipts-to-hear");
    await expectAsk(author, title, "1 person said it back", "1 open question");
    await checkPage(author, "loop-inbox-author");
  });

  await test.step("Nadia corrects Zofia’s readback", async () => {
    await scene.setTime("2026-11-20T08:40:00Z");
    await rows(author, "To answer").getByRole("link", { name: "Hear" }).click();
    await expect(author.locator(".to-hear")).toContainText(
      "From December I begin at 22:00, alone.",
    );
    await author.keyboard.press("j");
    await expect(author.locator(".to-hear")).toBeFocused();
    await author.keyboard.press("n");
    await expect(author.getByLabel("What is not quite right")).toBeFocused();
    await author.keyboard.type("Not alone: two of you.");
    await checkPage(author, "loop-correcting");
    await author.keyboard.press("Tab");
    await author.keyboard.press("Enter");
    await expectReceipts(
      author,
      update,
      "0 of 3 heard. 1 was told “Not quite”. 1 has not opened it. 1 question is open.",
      {
        onMe: [question],
        onThem: [leo[0], kim[0], zofia[0]],
      },
    );
    await expect(receipt(author, zofia[0])).toContainText("was told “Not quite”");
    await expect(
      receipt(author, zofia[0]).getByText("by Mon 17:00", { exact: true }),
    ).toBeVisible();
  });

  await test.step("Zofia reads it back again, and Nadia confirms it", async () => {
    await expectAsk(inKrakow, title, "Not quite: say it again by Mon 17:00");
    await checkPage(inKrakow, "loop-inbox-corrected");
    await rows(inKrakow, "To answer").getByRole("link", { name: "Say it back" }).click();
    await expect(inKrakow.locator(".ask-words")).toContainText(
      "Nadia Berg: not quite. Not alone: two of you. Again by Mon 17:00",
    );
    await inKrakow
      .getByLabel("What will you do, and by when?")
      .fill("From December two of us begin at 22:00; I bring the written handover.");
    await checkPage(inKrakow, "loop-saying-again");
    await inKrakow.getByRole("button", { name: "Say it back" }).click();
    await expect(inKrakow.locator(".answer")).toContainText("You said it back");
    await expectReceipts(author, update, "1 of 3 heard. 1 has not opened it. 1 question is open.", {
      onMe: [zofia[0], question],
      onThem: [leo[0], kim[0]],
      heard: [zofia[0]],
    });
    // The earlier correction is shown above the new readback.
    await expect(author.locator(".to-hear")).toContainText(
      "You: not quite. Not alone: two of you.",
    );
    await author.keyboard.press("j");
    await author.keyboard.press("y");
    await expectReceipts(author, update, "1 of 3 heard. 1 has not opened it. 1 question is open.", {
      onMe: [question],
      onThem: [leo[0], kim[0]],
      heard: [zofia[0]],
    });
    await author.locator("#heard > summary").click();
    await expect(receipt(author, zofia[0])).toContainText("Said it back, confirmed");
    await checkPage(author, "loop-receipts-confirmed");
    await inKrakow.goto("/inbox");
    await expect(rows(inKrakow, "To hear").and(entry(inKrakow, title))).toContainText(
      "Yes, that’s it",
    );
  });

  await test.step("Nadia answers Kim’s question", async () => {
    await author.getByRole("link", { name: "Answer Kim Tane" }).click();
    await expect(author.locator(".thread .chip")).toContainText("0:05");
    await author.locator(".reply > summary").click();
    await expect(author.getByLabel("Reply to Kim Tane")).toBeFocused();
    await author.keyboard.type("Then the day shift stays until midnight.");
    await author.keyboard.press("Control+Enter");
    await expect(author.locator(".question-tag")).toHaveText("Question · answered");
    await expectReceipts(author, update, "1 of 3 heard. 1 has not opened it.", {
      onThem: [leo[0], kim[0]],
      heard: [zofia[0]],
    });
    await author.goto("/inbox");
    await expect(author.getByText("Nobody is waiting for you.")).toBeVisible();
    await expect(rows(author, "Waiting on others").and(entry(author, title))).toContainText(
      "by Sat 02:00",
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
    await entry(inSanFrancisco, "The key of the back door")
      .getByRole("link", { name: "Open" })
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
      rows(author, "To hear").and(entry(author, "The key of the back door")),
    ).toContainText("All have answered");
  });

  await test.step("Kim accepts the answer and reads it back, and Leo is overdue", async () => {
    // 09:30 on Monday in Auckland, 12:30 on Sunday in San Francisco and 21:30 on Sunday in Berlin.
    await scene.setTime("2026-11-22T20:30:00Z");
    await inAuckland.goto("/inbox");
    await expect(rows(inAuckland, "To hear").and(entry(inAuckland, title))).toContainText(
      "Nadia Berg answered your question",
    );
    await checkPage(inAuckland, "loop-inbox-answered");
    await rows(inAuckland, "To answer").getByRole("link", { name: "Say it back" }).click();
    await inAuckland.getByRole("button", { name: "This answers it" }).click();
    await expect(inAuckland.locator(".question-tag")).toHaveText("Question · accepted");
    await inAuckland
      .getByLabel("What will you do, and by when?")
      .fill("I ask the day shift tonight whether they agree.");
    await inAuckland.getByRole("button", { name: "Say it back" }).click();
    await expect(inAuckland.locator(".answer")).toContainText("You said it back");
    await expectReceipts(author, update, "2 of 3 heard. 1 has not opened it. 1 is overdue.", {
      onMe: [kim[0]],
      onThem: [leo[0]],
      heard: [kim[0], zofia[0]],
    });
    await author.keyboard.press("j");
    await author.keyboard.press("y");
    await expectReceipts(author, update, "2 of 3 heard. 1 has not opened it. 1 is overdue.", {
      onThem: [leo[0]],
      heard: [kim[0], zofia[0]],
    });
    await expect(receipt(author, leo[0])).toContainText("Overdue");
    await expect(
      receipt(author, leo[0]).getByText("by Fri 20 Nov 17:00 there", { exact: true }),
    ).toBeVisible();
    await checkPage(author, "loop-receipts-overdue");
    await author.goto("/inbox");
    await expect(rows(author, "Waiting on others").and(entry(author, title))).toContainText(
      "by Sat 21 Nov 02:00 · overdue",
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
      author.getByRole("status").filter({ hasText: "Leo Park has been reminded." }),
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
    await rows(inSanFrancisco, "To answer").first().getByRole("link", { name: "Open" }).click();
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
    await expect(author.getByText("Nobody is waiting for you.")).toBeVisible();
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
      await expectAsk(page, title, `Changed since you answered, again by ${due}`);
      await rows(page, "To answer")
        .and(entry(page, title))
        .getByRole("link", { name: title, exact: true })
        .click();
      await expect(page.locator(".ask-words")).toContainText(
        `This changed since you answered. Again by ${due}`,
      );
      await expect(page.locator(".answer")).toContainText(
        "What changed: January instead of December.",
      );
      await page.getByText("See what is different").click();
      await expect(page.locator(".changes del")).toHaveText("December");
      await expect(page.locator(".changes ins")).toHaveText("January");
      await expect(page.locator(".answer")).toContainText("You said:");
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

test("a recipient empties the inbox: updates are postponed, muted, acknowledged and declined", async ({
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
      back: "Say it back",
      within: 2,
    });
    await send(author, { title: menu, to: [leo[0]], back: "Nothing back" });
    await scene.setTime("2026-11-19T17:01:00Z");
    await send(author, { title: printer, to: [leo[0]], back: "Nothing back" });
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "To answer").locator(".title")).toHaveText([drill, budget]);
    await expect(rows(inSanFrancisco, "To hear").locator(".title")).toHaveText([printer, menu]);
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
    await inSanFrancisco.getByText("Put off").click();
    await expect(inSanFrancisco.locator("#later .row")).toContainText(`${budget}`);
    await expect(inSanFrancisco.locator("#later .row")).toContainText("until Fri 08:00");
    await checkPage(inSanFrancisco, "loop-put-off");
    await inSanFrancisco.getByRole("button", { name: "Bring back" }).click();
    await expect(rows(inSanFrancisco, "To answer")).toHaveCount(2);
    await inSanFrancisco.goto("/inbox");
    await later();
    await inSanFrancisco.keyboard.press("Enter");
    await expect(rows(inSanFrancisco, "To answer")).toHaveCount(1);
    // Postponing an update is not a response, so the author still waits for Leo.
    await expectReceipts(author, asked, "Nobody has answered yet. 2 have not opened it.", {
      onThem: [leo[0], kim[0]],
    });
  });

  await test.step("replies to a muted update stay out of the inbox", async () => {
    await entry(inSanFrancisco, printer).locator("[data-later]").click();
    await entry(inSanFrancisco, printer).getByRole("button", { name: "Mute this update" }).click();
    await expect(rows(inSanFrancisco, "To hear").locator(".title")).toHaveText([menu]);
    for (const title of [printer, menu]) {
      await inSanFrancisco.goto("/updates");
      await inSanFrancisco.getByRole("link", { name: title, exact: true }).click();
      await inSanFrancisco.locator("#body").fill("Since when?");
      await inSanFrancisco.keyboard.press("Control+Enter");
      await expect(inSanFrancisco.locator(".comment")).toHaveCount(1);
    }
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "To hear")).toHaveCount(0);
    for (const title of [printer, menu]) {
      await author.goto("/updates");
      await author.getByRole("link", { name: title, exact: true }).click();
      await author.locator(".reply > summary").click();
      await expect(author.getByLabel("Reply to Leo Park")).toBeFocused();
      await author.keyboard.type("Since today.");
      await author.keyboard.press("Control+Enter");
      await expect(author.locator(".replies .comment")).toHaveCount(1);
    }
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "To hear").locator(".title")).toHaveText([menu]);
    await expect(rows(inSanFrancisco, "To hear").locator(".meta")).toHaveText(
      /^\s*Nadia Berg said something/,
    );
  });

  await test.step("the postponed update returns, and Leo works through his inbox", async () => {
    await scene.setTime("2026-11-20T16:30:00Z");
    await inSanFrancisco.goto("/inbox");
    await expect(rows(inSanFrancisco, "To answer").locator(".title")).toHaveText([drill, budget]);
    await inSanFrancisco.keyboard.press("i");
    await expect(inSanFrancisco.getByRole("heading", { level: 1, name: drill })).toBeVisible();
    await inSanFrancisco.getByRole("button", { name: "Got it" }).click();
    await expect(inSanFrancisco.locator(".answer")).toContainText("You got it");
    // Until the author confirms, Leo can withdraw his answer. The due time stays the same.
    await inSanFrancisco.getByRole("button", { name: "Take it back" }).click();
    await expect(inSanFrancisco.locator(".ask-words")).toContainText(
      "Nadia Berg asks: got it? by Fri 17:00",
    );
    await inSanFrancisco.getByRole("button", { name: "Got it" }).click();
    await expect(inSanFrancisco.locator(".answer")).toContainText("You got it");
    await checkPage(inSanFrancisco, "loop-got-it");

    await inSanFrancisco.getByRole("link", { name: "Next in the inbox" }).click();
    await expect(inSanFrancisco.getByRole("heading", { level: 1, name: budget })).toBeVisible();
    await inSanFrancisco.getByText("I heard it, but …").first().click();
    const reason = inSanFrancisco.getByLabel("I heard it, but …");
    await reason.fill("   ");
    await inSanFrancisco.getByRole("button", { name: "Send" }).click();
    await expect(inSanFrancisco.locator("#complaint")).toContainText(
      "This is missing. Say why you decline.",
    );
    await reason.fill("we have spent it already.");
    await checkPage(inSanFrancisco, "loop-declining");
    await inSanFrancisco.getByRole("button", { name: "Send" }).click();
    await expect(inSanFrancisco.locator(".answer")).toContainText("You heard it, but …");
    await expect(inSanFrancisco.locator("#complaint")).toHaveCount(0);

    await inSanFrancisco.keyboard.press("i");
    await expect(inSanFrancisco.getByRole("heading", { level: 1, name: menu })).toBeVisible();
    await inSanFrancisco.getByRole("link", { name: "Next in the inbox" }).click();
    await expect(inSanFrancisco.getByText("That was the last entry in your inbox.")).toBeVisible();
    await expect(inSanFrancisco.getByText("Nobody is waiting for you.")).toBeVisible();
    await expect(inSanFrancisco).toHaveTitle("Inbox · hearback");
    await checkPage(inSanFrancisco, "loop-inbox-empty");
  });

  await test.step("Nadia reads the reason for the objection", async () => {
    await author.goto("/inbox");
    await expect(rows(author, "To hear").and(entry(author, budget))).toContainText(
      "Leo Park objects",
    );
    await expect(rows(author, "To hear").and(entry(author, budget))).toContainText(
      "“… but we have spent it already.”",
    );
    await expectReceipts(author, asked, "0 of 2 heard. 1 objects. 1 has not opened it.", {
      onThem: [kim[0]],
      objections: [leo[0]],
    });
    await expect(receipt(author, leo[0])).toContainText("“… but we have spent it already.”");
    await expect(receipt(author, leo[0]).getByText("Reply to Leo Park")).toBeVisible();
    await checkPage(author, "loop-receipts-declined");
  });
});

test("an absence postpones a person's due time, and the author can stop asking", async ({
  browser,
  frozenServer: held,
}) => {
  test.setTimeout(120_000);
  const scene = await Scene.create(browser, held, [nadia, kim, zofia]);
  const [author, inAuckland, inKrakow] = scene.pages as [Page, Page, Page];
  const title = "Where we meet in spring";

  await inAuckland.goto("/me");
  await inAuckland.getByLabel("Away until").fill("2026-12-01T09:00");
  await inAuckland
    .locator("form", { has: inAuckland.getByLabel("Away until") })
    .getByRole("button", { name: "Save" })
    .click();
  await expect(inAuckland.getByRole("status").filter({ hasText: "Saved" })).toBeVisible();
  await checkPage(inAuckland, "loop-away");

  await author.goto("/inbox");
  const update = await send(author, {
    title,
    to: [kim[0], zofia[0]],
    back: "Got it",
    by: "2026-11-27T12:00",
  });
  await expectReceipts(author, update, "Nobody has answered yet. 2 have not opened it.", {
    onThem: [zofia[0], kim[0]],
  });
  await expect(
    receipt(author, zofia[0]).getByText("by Fri 27 Nov 12:00", { exact: true }),
  ).toBeVisible();
  // Kim is back on Tuesday morning, so her response is due at the end of that day.
  await expect(
    receipt(author, kim[0]).getByText("by Tue 1 Dec 17:00 there", { exact: true }),
  ).toBeVisible();
  await expect(receipt(author, kim[0]).getByText(/^away until Tue 1 Dec 09:00/)).toBeVisible();
  await expectAsk(inAuckland, title, "Got it by Tue 1 Dec 17:00");
  await expectAsk(inKrakow, title, "Got it by Fri 27 Nov 12:00");

  await author.getByRole("button", { name: "Stop asking" }).click();
  await author.getByRole("dialog").getByRole("button", { name: "Stop asking" }).click();
  await expect(author.getByRole("heading", { level: 1 })).toHaveText("0 of 2 opened it.");
  await checkPage(author, "loop-stopped");
  await inKrakow.goto("/inbox");
  await expect(inKrakow.getByText("Nobody is waiting for you.")).toBeVisible();
  await author.goto("/inbox");
  await expect(rows(author, "Waiting on others")).toHaveCount(0);
});
