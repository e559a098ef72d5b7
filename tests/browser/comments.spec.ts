// The comments on an update: questions, accepted answers, mentions, drafts and undo.
import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import {
  axe,
  expect,
  fixture,
  saveScreenshots,
  openSignedInPage,
  test,
  type Person,
} from "./test.ts";

/** Publishes an update and returns its path once its media are ready. */
async function publishUpdate(
  page: Page,
  title: string,
  audience: Person[],
  file?: string,
): Promise<string> {
  const headers = { accept: "application/json", "sec-fetch-site": "same-origin" };
  const fields = {
    title,
    audience: audience.map(({ email }) => email).join(","),
    visibility: "audience",
  };
  const media =
    file === undefined
      ? undefined
      : { name: file, mimeType: "video/webm", buffer: readFileSync(fixture(file)) };
  const made = await page.request.post("/updates", {
    headers,
    multipart: media ? { ...fields, media } : { ...fields, publish: "true" },
  });
  expect(made.status(), await made.text()).toBe(201);
  const { id } = (await made.json()) as { id: string };
  await expect
    .poll(
      async () =>
        (
          (await (await page.request.get(`/updates/${id}`, { headers })).json()) as {
            media: { state: string }[];
          }
        ).media.every(({ state }) => state === "ready"),
      { timeout: 30_000 },
    )
    .toBe(true);
  return `/updates/${id}`;
}

const waitForDraftSaved = (page: Page) =>
  page.waitForResponse(
    (response) =>
      response.url().includes("/drafts/") && response.request().method() === "PUT" && response.ok(),
  );

test("a question about a moment in the video is answered, and its asker accepts the answer", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Quest", "Bob Quest");
  const [author, asker] = [
    await openSignedInPage(browser, hearback, ada!),
    await openSignedInPage(browser, hearback, bob!),
  ];
  const address = await publishUpdate(author, "The new menu", [bob!], "rec-vp9-opus-10s.webm");

  await asker.goto(address);
  const video = asker.locator("video");
  await expect
    .poll(() => video.evaluate((video: HTMLVideoElement) => video.readyState))
    .toBeGreaterThan(0);
  await video.evaluate((video: HTMLVideoElement) => (video.currentTime = 4.2));
  await asker.keyboard.press("q");
  await expect(asker.locator("#body")).toBeFocused();
  await expect(asker.getByRole("checkbox", { name: "Question" })).toBeChecked();
  await expect(asker.locator(".anchor-chip")).toContainText("0:04");
  await asker.getByRole("button", { name: "Can you tell me more about …" }).click();
  await asker.keyboard.type("the second menu");
  await expect(asker.locator("#body")).toHaveValue("Can you tell me more about the second menu");
  await saveScreenshots(asker, "talk-asking");
  await axe(asker);
  await asker.getByRole("button", { name: "Ask", exact: true }).click();
  await expect(asker.locator(".question-tag")).toHaveText("Question · open");
  await expect(asker.locator(".timeline button.asks")).toHaveCount(1);
  await expect(asker.getByRole("checkbox", { name: "Question" })).not.toBeChecked();

  await author.goto(address);
  await expect(author.locator("#talk-count")).toContainText("1 open question");
  await author.locator(".reply-opener").click();
  await author.getByLabel("Reply to Bob Quest").fill("It opens on hover.");
  await author.getByRole("button", { name: "Answer" }).click();
  await expect(author.locator(".question-tag")).toHaveText("Question · answered");
  await expect(author.getByRole("button", { name: "Mark as answer" })).toHaveCount(0);

  await asker.getByRole("button", { name: "Mark as answer" }).click();
  await expect(asker.locator(".question-tag")).toHaveText("Question · accepted");
  await expect(asker.locator(".accepted-tag")).toHaveText("Answer");
  await expect(author.locator(".question-tag")).toHaveText("Question · accepted");
  await saveScreenshots(asker, "talk-accepted");
  await axe(asker);
  await asker.getByRole("button", { name: "Not the answer after all" }).click();
  await expect(asker.locator(".question-tag")).toHaveText("Question · answered");

  await author.locator(".replies .comment-menu button").click();
  await author.getByRole("button", { name: "Edit" }).click();
  await author.locator(".replies .edit textarea").fill("It opens on a click.");
  await author.locator(".replies .edit").getByRole("button", { name: "Save" }).click();
  await asker.getByRole("button", { name: "edited" }).click();
  await expect(asker.locator(".earlier:popover-open")).toContainText("It opens on hover.");
  await saveScreenshots(asker, "talk-earlier");
  await axe(asker);
});

test("names are completed after an @, and the page warns about mentioned people who cannot see the update", async ({
  browser,
  hearback,
}) => {
  const [ada, bob, hidden] = await hearback.addPeople("Ada Named", "Bob Named", "Cyd Hidden");
  const [author, reader] = [
    await openSignedInPage(browser, hearback, ada!),
    await openSignedInPage(browser, hearback, bob!),
  ];
  const address = await publishUpdate(author, "Names", [bob!]);

  await reader.goto(address);
  await reader.locator("#body").pressSequentially("Thanks @ada n");
  await reader.locator("#body").fill("");
  await reader.locator("#body").pressSequentially("Thanks @named");
  await expect(reader.getByRole("option")).toHaveText([/Ada Named/, /Bob Named/]);
  await saveScreenshots(reader, "talk-names");
  await reader.keyboard.press("ArrowDown");
  await reader.keyboard.press("ArrowUp");
  await reader.keyboard.press("Enter");
  await expect(reader.locator("#body")).toHaveValue("Thanks @Ada Named ");
  await reader.keyboard.type("and @hid");
  await expect(reader.getByRole("option")).toHaveText([/Cyd Hidden/]);
  await reader.keyboard.press("Tab");
  await reader.keyboard.press("Control+Enter");
  await expect(reader.locator(".comment .mention")).toHaveText(["@Ada Named", "@Cyd Hidden"]);
  await expect(reader.locator(".note.unseen")).toContainText(
    "Cyd Hidden can’t see this. Ask Ada Named to add them.",
  );
  await saveScreenshots(reader, "talk-unseen");
  await axe(reader);

  // Escape closes the list of names, but not the reply.
  await author.goto(address);
  await author.locator(".reply-opener").click();
  const reply = author.getByLabel("Reply to Bob Named");
  await reply.pressSequentially("Yes @hid");
  await expect(author.getByRole("option")).toHaveCount(1);
  await reply.press("Escape");
  await expect(author.getByRole("option")).toHaveCount(0);
  await expect(reply).toBeFocused();
  await reply.fill("");
  await reply.pressSequentially("Yes @hid");
  await expect(author.getByRole("option")).toHaveText([/Cyd Hidden/]);
  await author.getByRole("option").click();
  await expect(reply).toHaveValue("Yes @Cyd Hidden ");
  await reply.press("Control+Enter");
  await expect(author.locator(".note.unseen")).toContainText("Cyd Hidden can’t see this.");
  await author.getByRole("button", { name: "Add Cyd Hidden" }).click();
  await expect(author.locator(".note.unseen")).toHaveCount(0);
  const cyd = await openSignedInPage(browser, hearback, hidden!);
  await cyd.goto(address);
  await expect(cyd.getByRole("heading", { name: "Names" })).toBeVisible();
});

test("a draft survives a reload and appears on another device, and sending a comment can be undone", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Drafts", "Bob Drafts");
  const [author, writer] = [
    await openSignedInPage(browser, hearback, ada!),
    await openSignedInPage(browser, hearback, bob!),
  ];
  const address = await publishUpdate(author, "Drafts", [bob!]);
  await author.goto(address);
  await author.locator("#body").fill("What do you think?");
  await author.locator("#body").press("Control+Enter");
  await expect(author.locator(".comment")).toHaveCount(1);

  await writer.goto(address);
  let saved = waitForDraftSaved(writer);
  await writer.locator("#body").fill("I think that");
  await saved;
  await writer.locator(".reply-opener").click();
  saved = waitForDraftSaved(writer);
  await writer.getByLabel("Reply to Ada Drafts").fill("It is");
  await saved;
  // When the page unloads, it saves the text that was typed last.
  await writer.locator("#body").fill("I think that it is");
  await writer.reload();
  await expect(writer.locator("#body")).toHaveValue("I think that it is");
  await expect(writer.getByLabel("Reply to Ada Drafts")).toHaveValue("It is");
  const phone = await openSignedInPage(browser, hearback, bob!);
  await expect
    .poll(async () => {
      await phone.goto(address);
      return phone.locator("#body").inputValue();
    })
    .toBe("I think that it is");
  await expect(phone.getByLabel("Reply to Ada Drafts")).toBeVisible();
  await saveScreenshots(phone, "talk-drafts");
  await axe(phone);

  // While the server is unreachable, the draft is kept in the tab, and the page says so.
  await writer.route("**/drafts/**", (route) => route.abort());
  await writer.locator("#body").fill("I think that it is good");
  await expect(writer.getByText("Your text is only in this tab")).toBeVisible();
  await writer.unroute("**/drafts/**");

  await writer.locator("#body").press("Control+Enter");
  await expect(writer.locator(".comment")).toHaveCount(2);
  await expect(writer.locator("#body")).toHaveValue("");
  await expect(writer.getByText("Sent.", { exact: true })).toBeVisible();
  await saveScreenshots(writer, "talk-sent");
  await axe(writer);
  await writer.getByRole("button", { name: "Undo" }).click();
  await expect(writer.locator("#body")).toHaveValue("I think that it is good");
  await expect(writer.locator(".comment")).toHaveCount(1);
  await expect(author.locator(".comment")).toHaveCount(1);

  await writer.getByLabel("Reply to Ada Drafts").press("Control+Enter");
  await expect(writer.locator(".replies .comment")).toHaveCount(1);
  await writer.reload();
  await expect(writer.locator("#body")).toHaveValue("I think that it is good");
  await expect(writer.getByLabel("Reply to Ada Drafts")).toBeHidden();
});

test("long code scrolls in its own box, and right-to-left text begins at the right", async ({
  browser,
  hearback,
}) => {
  const [author] = await hearback.addPeople("Kim Code");
  const page = await openSignedInPage(browser, hearback, author!);
  const path = await publishUpdate(page, "Code", [author!]);
  const headers = { accept: "application/json", "sec-fetch-site": "same-origin" };
  for (const body of [`    ${"code ".repeat(200)}`, readFileSync(fixture("rtl.txt"), "utf8")]) {
    const made = await page.request.post(`${path}/comments`, { headers, data: { body } });
    expect(made.status(), await made.text()).toBe(201);
  }
  for (const width of [375, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await page.goto(path);
    const code = page.locator(".comment pre");
    await expect(code).toBeVisible();
    const fits = await code.evaluate((box) => {
      const column = box.closest(".threads")!.getBoundingClientRect();
      const { left, right } = box.getBoundingClientRect();
      return {
        scrolls: box.scrollWidth > box.clientWidth,
        inColumn: left >= column.left && right <= column.right,
        pageFits: document.documentElement.scrollWidth <= innerWidth,
      };
    });
    expect(fits).toEqual({ scrolls: true, inColumn: true, pageFits: true });
    const gaps = await page
      .locator(".comment .body p")
      .last()
      .evaluate((paragraph) => {
        const text = document.createRange();
        text.selectNodeContents(paragraph);
        const [outer, inner] = [paragraph.getBoundingClientRect(), text.getBoundingClientRect()];
        return { left: inner.left - outer.left, right: outer.right - inner.right };
      });
    expect(gaps.right).toBeLessThan(1);
    if (width === 1280) expect(gaps.left).toBeGreaterThan(gaps.right);
  }
});
