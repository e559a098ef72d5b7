// Recipients who are away, and authors who stop asking.
import type { Page } from "@playwright/test";
import { expectAsk, expectReceipts, kim, nadia, receipt, rows, send, test, zofia } from "./loop.ts";
import { Scene } from "./scene.ts";
import { checkPage, expect } from "./test.ts";

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
  await expect(inAuckland.locator(".said").filter({ hasText: "Saved" })).toBeVisible();
  await checkPage(inAuckland, "loop-away");

  await author.goto("/inbox");
  const update = await send(author, {
    title,
    to: [kim[0], zofia[0]],
    back: "Got it",
    by: "2026-11-27T12:00",
  });
  await expectReceipts(author, update, "Nobody has answered yet. 2 haven’t opened it.", {
    onThem: [zofia[0], kim[0]],
  });
  await expect(
    receipt(author, zofia[0]).getByText("by Fri 27 Nov 12:00", { exact: true }),
  ).toBeVisible();
  // Kim is back on Tuesday morning, so her response is due at the end of that day.
  await expect(
    receipt(author, kim[0]).getByText("by Tue 1 Dec 17:00 Auckland, Tue 1 Dec 05:00 yours", {
      exact: true,
    }),
  ).toBeVisible();
  await expect(receipt(author, kim[0]).getByText(/^away until Tue 1 Dec 09:00/)).toBeVisible();
  await expectAsk(inAuckland, title, "Got it by Tue 1 Dec 17:00");
  await expectAsk(inKrakow, title, "Got it by Fri 27 Nov 12:00");

  await author.getByRole("button", { name: "Stop asking" }).click();
  await author.getByRole("dialog").getByRole("button", { name: "Stop asking" }).click();
  await expect(author.getByRole("heading", { level: 1 })).toHaveText("0 of 2 opened it.");
  await checkPage(author, "loop-stopped");
  await inKrakow.goto("/inbox");
  await expect(inKrakow.getByText("Nothing to answer.")).toBeVisible();
  await author.goto("/inbox");
  await expect(rows(author, "Waiting on others")).toHaveCount(0);
});
