// Verdicts on readbacks: the author can undo or change a confirmation. After a correction, the recipient's answer box
// is empty.
import type { Page } from "@playwright/test";
import { pressPlace } from "./layouts.ts";
import { apiHeaders, publishUpdate } from "./scene.ts";
import { axe, expect, openSignedInPage, test } from "./test.ts";

async function readBack(reader: Page, path: string, readback: string): Promise<void> {
  const url = `${path}/acknowledgement`;
  const response = await reader.request.put(url, { headers: apiHeaders, data: { readback } });
  expect(response.status(), await response.text()).toBe(200);
}

async function correct(author: Page, path: string, reader: Page, body: string): Promise<void> {
  const receipts = await author.request.get(`${path}/receipts`, { headers: apiHeaders });
  const { items } = (await receipts.json()) as { items: { person: { id: string } }[] };
  expect(items).toHaveLength(1);
  const response = await author.request.put(
    `${path}/receipts/${items[0]!.person.id}/confirmation`,
    { headers: apiHeaders, data: { verdict: "corrected", body } },
  );
  expect(response.status(), await response.text()).toBe(200);
  await reader.goto(path);
}

const myState = async (reader: Page, path: string): Promise<string> => {
  const response = await reader.request.get(path, { headers: apiHeaders });
  return ((await response.json()) as { my_receipt: { state: string } }).my_receipt.state;
};

test("a confirmation is announced, can be undone for ten seconds and can be changed later", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Verdict", "Bob Verdict");
  const author = await openSignedInPage(browser, hearback, ada!);
  const reader = await openSignedInPage(browser, hearback, bob!);
  const path = await publishUpdate(author, "readback", "The confirmed one", [bob!]);
  await readBack(reader, path, "I move the tests.");
  const [row, notice] = [author.locator(".to-hear"), author.locator(".undo-notice")];
  const announcements = author.locator("#announcements");

  await author.clock.install();
  await author.goto(`${path}/receipts`);
  await expect(row).toBeFocused();
  await author.keyboard.press("y");
  await expect(notice).toContainText("You confirmed what Bob Verdict said back.");
  await expect(announcements).toContainText("You can undo it for ten seconds.");
  await expect(row).toHaveCount(0);
  expect(await myState(reader, path)).toBe("confirmed");
  await axe(author);

  await author.keyboard.press("u");
  await expect(notice).toHaveCount(0);
  await expect(row).toBeFocused();
  await expect(announcements).toContainText("Undone.");
  expect(await myState(reader, path)).toBe("read_back");

  // The shortcut also works on a Cyrillic layout.
  await pressPlace(author, "н", "KeyY");
  await expect(notice.getByRole("button", { name: "Undo" })).toBeVisible();
  await expect(row).toHaveCount(0);
  await author.clock.fastForward(11_000);
  await expect(notice).toHaveCount(0);

  await author.goto(`${path}/receipts`);
  await author.getByRole("button", { name: /Change your verdict.*Bob Verdict/ }).click();
  await expect(row).toBeVisible();
  await expect(row).not.toContainText("Before:");
  expect(await myState(reader, path)).toBe("read_back");
});

test("after a correction, the recipient sees the earlier answer and an empty answer box", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Again", "Bob Again");
  const author = await openSignedInPage(browser, hearback, ada!);
  const reader = await openSignedInPage(browser, hearback, bob!);
  const path = await publishUpdate(author, "readback", "The corrected one", [bob!]);
  const box = reader.getByLabel("What will you do, and by when?");

  await reader.goto(path);
  await box.fill("I move the tests.");
  const savedDrafts: (string | null)[] = [];
  await reader.getByRole("button", { name: "Say it back" }).click();
  reader.on("request", (request) => {
    if (request.url().includes("/drafts/")) savedDrafts.push(request.postData());
  });
  await expect(reader.locator(".answer")).toContainText("You said it back");

  await correct(author, path, reader, "Only two of them.");
  await expect(reader.locator(".ask-words")).toContainText("Ada Again: not quite");
  await expect(reader.locator(".answer")).toContainText("Only two of them.");
  await expect(box).toHaveValue("");
  await expect(reader.locator(".earlier-answer blockquote")).toHaveText("I move the tests.");
  expect(savedDrafts).toEqual([]);
  await axe(reader);
});
