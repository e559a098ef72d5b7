// An update with so many comments that they do not fit on one page.
import { readFileSync } from "node:fs";
import { axe, expect, fixture, openSignedInPage, test, type Hearback, type Page } from "./test.ts";

const headers = { accept: "application/json", "sec-fetch-site": "same-origin" };

interface Scene {
  page: Page;
  path: string;
  /** The ids of the threads' first comments. */
  ids: string[];
}

async function postComment(page: Page, path: string, data: object): Promise<string> {
  const response = await page.request.post(`${path}/comments`, { headers, data });
  expect(response.status(), await response.text()).toBe(201);
  return ((await response.json()) as { id: string }).id;
}

/** Publishes an update with `count` threads. */
async function publishWithThreads(
  page: Page,
  count: number,
  data: object = {},
): Promise<Omit<Scene, "page">> {
  const update = { title: "Many remarks", publish: true, ...data };
  const made = await page.request.post("/updates", { headers, data: update });
  const path = `/updates/${((await made.json()) as { id: string }).id}`;
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(await postComment(page, path, { body: `Remark ${n}.` }));
  return { path, ids };
}

const remark = (page: Page, n: number) =>
  page.locator(".thread .body", { hasText: new RegExp(`^\\s*Remark ${n}\\.`) });

async function openScene(
  browser: Parameters<typeof openSignedInPage>[0],
  hearback: Hearback,
  name: string,
  count: number,
): Promise<Scene> {
  const [person] = await hearback.addPeople(name);
  const page = await openSignedInPage(browser, hearback, person!);
  return { page, ...(await publishWithThreads(page, count)) };
}

test("earlier comments are added on request, and a link to one of them loads its thread", async ({
  browser,
  hearback,
}) => {
  const { page, path, ids } = await openScene(browser, hearback, "Ada Pages", 65);

  await page.goto(path);
  await expect(page.locator(".thread")).toHaveCount(30);
  await expect(page.locator("#talk-count")).toHaveText("65");
  const earlier = page.getByRole("link", { name: "Earlier comments" });
  await earlier.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(".thread")).toHaveCount(60);
  await expect(page.locator("#announcements")).toHaveText("30 earlier threads added.");
  await expect(earlier).toBeFocused();
  await axe(page);
  await page.keyboard.press("Enter");
  await expect(page.locator(".thread")).toHaveCount(65);
  await expect(earlier).toHaveCount(0);
  // The link is gone, so the first of the added comments has the focus.
  await expect(page.locator(`#c-${ids[0]!}`)).toBeFocused();
  const shown = await page
    .locator(".thread > .comment")
    .evaluateAll((all) => all.map(({ id }) => id));
  expect(shown).toEqual(ids.map((id) => `c-${id}`));

  // A refresh of the whole page keeps what was loaded.
  await page.request.patch(path, { headers, data: { title: "Still many remarks" } });
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Still many remarks");
  await expect(page.locator(".thread")).toHaveCount(65);
  await expect(earlier).toHaveCount(0);

  // After a comment is sent, it is shown and has the focus.
  await page.locator("#body").fill("The newest remark");
  await page.locator("#body").press("Control+Enter");
  await expect(page.locator(".thread")).toHaveCount(66);
  await expect(page.locator(".comment:focus")).toContainText("The newest remark");

  // A link to a comment that is not on the page loads only its thread.
  await page.goto("/updates");
  await page.goto(`${path}#c-${ids[1]!}`);
  await expect(page.locator(`#c-${ids[1]!}`)).toHaveClass(/\bon\b/);
  await expect(page.locator(".thread")).toHaveCount(31);
});

test("only the thread that changed is fetched", async ({ browser, hearback }) => {
  const { page, path, ids } = await openScene(browser, hearback, "Bob Pages", 35);
  await page.goto(path);
  await expect(page.locator(".thread")).toHaveCount(30);
  const fetched: string[] = [];
  page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === path)
      fetched.push(`${searchParams.get("part")} ${searchParams.get("comment")}`);
  });
  const mark = await remark(page, 20).evaluateHandle((body) => body);

  // A new thread, a reply to a thread that is not on the page, a reaction, and a removal, all in another place.
  const added = await postComment(page, path, { body: "From elsewhere" });
  await expect(page.locator(`#c-${added}`)).toBeVisible();
  await expect(page.locator("#talk-count")).toHaveText("36");
  const reply = await postComment(page, path, { body: "Late", parent_id: ids[0] });
  await expect(page.locator(`#c-${reply}`)).toBeVisible();
  await page.request.put(`/comments/${ids[20]!}/reactions/👏`, { headers });
  const thread = page.locator(`#t-${ids[20]!}`);
  await expect(thread.getByRole("button", { name: "👏 1" })).toBeVisible();
  await page.request.delete(`/comments/${added}`, { headers });
  await expect(page.locator(`#t-${added}`)).toHaveCount(0);
  await expect(page.locator("#talk-count")).toHaveText("36");

  // One's own reactions, edits and answers fetch only their thread, too.
  await thread.getByRole("button", { name: "👏 1" }).click();
  await expect(thread.getByRole("button", { name: "👏 1" })).toHaveCount(0);
  expect(new Set(fetched)).toEqual(new Set([added, reply, ids[20]!].map((id) => `thread ${id}`)));
  // The other threads were not touched.
  expect(await mark.evaluate((body) => body.isConnected)).toBe(true);
});

test("the marks in the video are complete, and a mark loads the thread of its comment", async ({
  browser,
  hearback,
}) => {
  const [person] = await hearback.addPeople("Fay Pages");
  const page = await openSignedInPage(browser, hearback, person!);
  const media = {
    name: "a.webm",
    mimeType: "video/webm",
    buffer: readFileSync(fixture("rec-vp9-opus-10s.webm")),
  };
  const multipart = { title: "Many moments", publish: "true", media };
  const made = await page.request.post("/updates", { headers, multipart });
  const path = `/updates/${((await made.json()) as { id: string }).id}`;
  const drawing = [{ kind: "arrow", from: [0.1, 0.2], to: [0.4, 0.5], color: "red", width: 0.01 }];
  const early = { body: "An **early** moment <3", kind: "question", at_ms: 2000, drawing };
  const first = await postComment(page, path, early);
  const removed = await postComment(page, path, { body: "Removed", at_ms: 8000 });
  for (let n = 0; n < 30; n++) await postComment(page, path, { body: `Remark ${n}.`, at_ms: 5000 });

  await page.goto(path);
  await expect(page.locator(".thread")).toHaveCount(30);
  const dots = page.locator(".timeline button");
  await expect(dots).toHaveCount(3);
  const label = "0:02, question, Fay Pages: An early moment <3";
  const dot = page.getByRole("button", { name: label });
  await expect(dot).toHaveClass(/\basks\b/);
  await expect(page.locator(`#c-${first}`)).toHaveCount(0);
  // A comment that is removed loses its mark, although it was never loaded.
  await page.request.delete(`/comments/${removed}`, { headers });
  await expect(dots).toHaveCount(2);
  await dot.focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(`#c-${first}`)).toHaveClass(/\bon\b/);
  await expect(page.locator(".thread")).toHaveCount(31);
  await expect(dots).toHaveCount(2);
  await expect(page.locator(".layer.drawing")).toHaveCount(1);

  // Playback loads the thread of a drawing when it reaches its time.
  await page.reload();
  await expect(page.locator(".thread")).toHaveCount(30);
  const video = page.locator("video");
  await expect
    .poll(() => video.evaluate((video: HTMLVideoElement) => video.readyState))
    .toBeGreaterThan(0);
  await video.evaluate((video: HTMLVideoElement) => (video.currentTime = 2.1));
  await expect(page.locator(`#c-${first}`)).toBeAttached();
  await expect(page.locator(".layer.drawing")).toHaveCount(1);
});

test("a long thread shows its newest replies, and the others on request", async ({
  browser,
  hearback,
}) => {
  const { page, path, ids } = await openScene(browser, hearback, "Cyd Pages", 1);
  const replies: string[] = [];
  for (let n = 0; n < 13; n++)
    replies.push(await postComment(page, path, { body: `Reply ${n}`, parent_id: ids[0] }));
  await page.goto(path);
  await expect(page.locator(".replies .comment")).toHaveCount(10);
  await page.getByRole("link", { name: "Show 3 earlier replies" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator(".replies .comment")).toHaveCount(13);
  await expect(page.locator("#announcements")).toHaveText("3 earlier replies added.");
  await expect(page.locator(`#c-${replies[0]!}`)).toBeFocused();
  // A new reply keeps them.
  await postComment(page, path, { body: "Reply 13", parent_id: ids[0] });
  await expect(page.locator(".replies .comment")).toHaveCount(14);

  await page.goto("/updates");
  await page.goto(`${path}#c-${replies[1]!}`);
  await expect(page.locator(`#c-${replies[1]!}`)).toHaveClass(/\bon\b/);
});

test("the menus, the reply form and the edit form exist once and return the focus", async ({
  browser,
  hearback,
}) => {
  const { page, path, ids } = await openScene(browser, hearback, "Dee Pages", 3);
  await page.goto(path);
  const [first, second] = [page.locator(`#t-${ids[0]!}`), page.locator(`#t-${ids[1]!}`)];

  // The menu of reactions, with the keyboard.
  const react = first.getByRole("button", { name: "React to the comment" });
  await expect(react).toHaveAttribute("aria-expanded", "false");
  await react.focus();
  await page.keyboard.press("Enter");
  await expect(react).toHaveAttribute("aria-expanded", "true");
  await axe(page);
  await page.keyboard.press("Tab");
  await expect(page.locator(".emojis button").first()).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.locator(".emojis")).toHaveCount(0);
  await expect(react).toBeFocused();
  await react.click();
  await second.getByRole("button", { name: "React to the comment" }).click();
  await expect(page.locator(".emojis")).toHaveCount(1);
  await second.locator(".emojis").getByRole("button", { name: "🎉" }).click();
  await expect(second.getByRole("button", { name: "🎉 1" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await expect(page.locator(".emojis")).toHaveCount(0);
  await expect(second.getByRole("button", { name: "React to the comment" })).toBeFocused();
  await first.getByRole("button", { name: "React to the comment" }).click();
  await page.getByRole("searchbox", { name: "Search all emojis by name" }).fill("rocket");
  await page.getByRole("group", { name: "Found" }).getByRole("button").first().click();
  await expect(first.locator(".reaction[aria-pressed]")).toHaveCount(1);
  await page.locator("#reactions").getByRole("button", { name: "React to the update" }).click();
  await page.locator("#reactions .emojis").getByRole("button", { name: "👀" }).click();
  await expect(page.locator("#reactions").getByRole("button", { name: "👀 1" })).toBeVisible();

  // An empty reply form moves to the next thread; one with text stays.
  await first.getByRole("button", { name: "Reply to Dee Pages" }).click();
  await second.getByRole("button", { name: "Reply to Dee Pages" }).click();
  await expect(page.locator(".reply-form")).toHaveCount(1);
  const reply = second.getByRole("textbox", { name: "Reply to Dee Pages" });
  await expect(reply).toBeFocused();
  await reply.fill("Unsent");
  await page.locator(`#t-${ids[2]!}`).getByRole("button", { name: "Reply to Dee Pages" }).click();
  await expect(page.locator(".reply-form")).toHaveCount(2);
  await expect(reply).toHaveValue("Unsent");
  await axe(page);
  // Another person's reaction changes the thread, but not the form.
  await page.request.put(`/comments/${ids[1]!}/reactions/👍`, { headers });
  await expect(second.getByRole("button", { name: "👍 1" })).toBeVisible();
  await expect(reply).toHaveValue("Unsent");
  await second.getByRole("button", { name: "Reply to Dee Pages" }).click();
  await expect(reply).toHaveCount(0);
  await second.getByRole("button", { name: "Reply to Dee Pages" }).click();
  await expect(reply).toHaveValue("Unsent");
  await reply.press("Control+Enter");
  await expect(second.locator(".replies .comment:focus")).toContainText("Unsent");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(reply).toHaveValue("Unsent");
  await expect(second.locator(".replies .comment")).toHaveCount(0);
  await reply.press("Control+Enter");
  await expect(second.locator(".replies .comment")).toHaveCount(1);

  // Editing.
  const more = first.getByRole("button", { name: "More for your comment" });
  await more.click();
  await axe(page);
  await page.getByRole("button", { name: "Edit" }).click();
  const text = first.getByRole("textbox", { name: "Your comment" });
  await expect(text).toHaveValue("Remark 0.");
  await expect(text).toBeFocused();
  await axe(page);
  await text.press("Escape");
  await expect(text).toHaveCount(0);
  await expect(page.locator(`#c-${ids[0]!}`)).toBeFocused();
  await more.click();
  await page.getByRole("button", { name: "Edit" }).click();
  await text.fill("Remark zero.");
  await text.press("Control+Enter");
  await expect(first.locator(".body")).toHaveText("Remark zero.");
  await expect(text).toHaveCount(0);

  // Removing asks first.
  await second.locator(".comment-menu button").first().click();
  await page.getByRole("button", { name: "Remove" }).click();
  await expect(page.getByRole("dialog")).toContainText("The replies stay.");
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(second.locator(".comment.removed")).toHaveCount(1);
  await expect(second.locator(".replies .comment")).toHaveCount(1);
});

test("a refresh after many changes updates loaded threads and keeps those of the first page", async ({
  browser,
  hearback,
}) => {
  const { page, path, ids } = await openScene(browser, hearback, "Gil Pages", 34);
  await page.goto(path);
  await page.getByRole("link", { name: "Earlier comments" }).click();
  await expect(page.locator(".thread")).toHaveCount(34);
  // While the page is offline, earlier threads change, and new threads move others off the first page.
  await page.context().setOffline(true);
  for (const id of ids.slice(0, 5))
    await page.request.put(`/comments/${id}/reactions/👏`, { headers });
  for (let n = 34; n < 37; n++) await postComment(page, path, { body: `Remark ${n}.` });
  await page.context().setOffline(false);
  await expect(page.getByRole("button", { name: "👏 1" })).toHaveCount(5);
  await expect(page.locator(".thread")).toHaveCount(37);
});

test("sorting the threads keeps the focus in a reply form", async ({ browser, hearback }) => {
  const { page, path, ids } = await openScene(browser, hearback, "Hal Pages", 3);
  await page.goto(path);
  await page.locator("talk-order select").selectOption("newest");
  const threads = page.locator(".thread");
  await expect(threads.first()).toHaveId(`t-${ids[2]!}`);
  const opener = page.locator(`#t-${ids[2]!}`).getByRole("button", { name: "Reply to Hal Pages" });
  await opener.click();
  const reply = page.getByRole("textbox", { name: "Reply to Hal Pages" });
  await reply.fill("Still writing");
  const added = await postComment(page, path, { body: "Newer" });
  await expect(threads.first()).toHaveId(`t-${added}`);
  await expect(reply).toBeFocused();
});

test("without scripts, links and buttons load comments and open the forms", async ({
  browser,
  hearback,
}) => {
  const { page: scripted, path, ids } = await openScene(browser, hearback, "Eve Pages", 33);
  const context = await browser.newContext({
    baseURL: hearback.url,
    javaScriptEnabled: false,
    storageState: await scripted.context().storageState(),
  });
  const page = await context.newPage();
  await page.goto(path);
  await expect(page.locator(".thread")).toHaveCount(30);
  await page.getByRole("link", { name: "Earlier comments" }).click();
  await expect(page.locator(".thread")).toHaveCount(3);
  const thread = page.locator(`#t-${ids[1]!}`);

  await thread.getByRole("button", { name: "Reply to Eve Pages" }).click();
  await expect(page.locator("#asked")).toBeVisible();
  await thread.getByRole("textbox", { name: "Reply to Eve Pages" }).fill("Written by hand");
  await thread.locator("#asked").getByRole("button", { name: "Reply" }).click();
  await expect(thread.locator(".replies .body")).toHaveText("Written by hand");
  await expect(page.locator("#asked")).toHaveCount(0);

  await thread.getByRole("button", { name: "React to the comment" }).first().click();
  await thread.locator("#asked").getByRole("button", { name: "🎉" }).click();
  await expect(thread.getByRole("button", { name: "🎉 1" })).toBeVisible();
  await thread.getByRole("button", { name: "🎉 1" }).click();
  await expect(thread.getByRole("button", { name: "🎉 1" })).toHaveCount(0);

  await thread.getByRole("button", { name: "More for your comment" }).first().click();
  await thread.getByRole("button", { name: "Edit" }).click();
  await thread.getByRole("textbox", { name: "Your comment" }).fill("Remark one.");
  await thread.getByRole("button", { name: "Save" }).click();
  await expect(thread.locator(".body").first()).toHaveText("Remark one.");
  await thread.getByRole("button", { name: "Resolve" }).click();
  await expect(thread.locator(".resolved-thread")).toHaveCount(1);
});
