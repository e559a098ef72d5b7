// The page of receipts and the overview: a sentence that adds up, what waits for the author, objections, due times in
// two time zones, and everyone who heard.
import { apiHeaders, publishUpdate, Scene } from "./scene.ts";
import { kim, nadia, receipt, test } from "./loop.ts";
import { axe, expect, openSignedInPage, type Person } from "./test.ts";

test("the author sees who objects and why without scrolling, whatever else is pending", async ({
  browser,
  frozenServer,
}) => {
  const people: Person[] = await frozenServer.addPeople(
    "Ada Sums",
    "Bea Sums",
    "Cem Sums",
    "Dan Sums",
    "Eve Sums",
    "Fay Sums",
    "Gil Sums",
  );
  const [ada, ...others] = people;
  const author = await openSignedInPage(browser, frozenServer, ada!);
  const path = await publishUpdate(author, "readback", "Who sums up", others);
  for (const [index, account] of others.slice(0, 5).entries()) {
    const page = await openSignedInPage(browser, frozenServer, account);
    const opening = await page.request.put(`${path}/opening`, { headers: apiHeaders });
    expect(opening.status()).toBe(204);
    const [address, data] =
      index === 4
        ? [`${path}/decline`, { reason: "I am on leave in December." }]
        : [`${path}/acknowledgement`, { readback: `I do part ${index + 1}.` }];
    const answer = await page.request.put(address, { headers: apiHeaders, data });
    expect(answer.status(), await answer.text()).toBe(200);
    await page.context().close();
  }
  const link = await author.request.post(`${path}/links`, {
    headers: apiHeaders,
    data: { name: "Customer", comments: true },
  });
  const { url } = (await link.json()) as { url: string };
  const guest = await (await browser.newContext({ baseURL: frozenServer.url })).newPage();
  await guest.goto(url);
  await guest.getByLabel("What will you do, and by when?").fill("We wait for December.");
  await guest.getByRole("button", { name: "Say it back" }).click();
  await guest.getByRole("dialog").getByLabel("Your name").fill("Gwen Guest");
  await guest.getByRole("button", { name: "Continue" }).click();
  await expect(guest.locator("#answer-card")).toContainText("You said it back");
  await axe(guest);

  await author.setViewportSize({ width: 1280, height: 800 });
  await author.goto(`${path}/receipts`);
  await expect(author.getByRole("heading", { level: 1 })).toHaveText(
    "4 of 6 heard. 1 objects. 1 hasn’t opened it.",
  );
  const objections = author.getByRole("region", { name: "Objections" });
  await expect(objections.locator(".name")).toBeInViewport({ ratio: 1 });
  await expect(objections.getByText("“I am on leave in December.”")).toBeInViewport({ ratio: 1 });
  await expect(objections.getByText("Reply to Fay Sums")).toBeInViewport({ ratio: 1 });
  await axe(author);

  await expect(author.locator("#heard > summary")).toHaveText("Heard 4 · 1 guest");
  await author.locator("#heard > summary").click();
  await expect(author.locator("#heard .name")).toHaveText([
    "Bea Sums",
    "Cem Sums",
    "Dan Sums",
    "Eve Sums",
    /Gwen Guest/,
  ]);
  await expect(author.locator("#heard-guests")).toContainText("Said it back");

  for (let left = 3; left >= 0; left--) {
    await author
      .getByRole("button", { name: /^Yes, that’s it/ })
      .first()
      .click();
    await expect(author.locator(".to-hear")).toHaveCount(left);
  }
  await expect(author.locator(".undo-notice")).toContainText("You confirmed what");
});

test("due times are shown in the recipient's time zone with the reader's beside it", async ({
  browser,
  frozenServer,
}) => {
  const scene = await Scene.create(browser, frozenServer, [nadia, kim]);
  const [author] = scene.pages;
  const made = await author!.request.post("/updates", {
    headers: apiHeaders,
    data: {
      title: "Two clocks",
      audience: [scene.people[1]!.email],
      expectation: "acknowledge",
      due: { working_days: 1 },
      publish: true,
    },
  });
  expect(made.status(), await made.text()).toBe(201);
  const { id } = (await made.json()) as { id: string };
  const due = "by Mon 17:00 Auckland, Mon 05:00 yours";
  await author!.goto(`/updates/${id}/receipts`);
  await expect(receipt(author!, kim[0]).getByText(due, { exact: true })).toBeVisible();
  await author!.goto("/receipts");
  await expect(author!.getByRole("heading", { level: 1 })).toHaveText("Sent by me");
  const row = author!.locator(".row", { hasText: "Two clocks" });
  await expect(row).toContainText("0 of 1 heard");
  await expect(row).toContainText("Waiting on 1 person");
  await expect(row.getByText(due, { exact: true })).toBeVisible();
  await axe(author!);
});
