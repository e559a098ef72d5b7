// While the network or the server is unavailable, pages say so. Once it is available again, the messages disappear, and
// answers, comments and updates that were waiting are sent.
import { publishUpdate } from "./scene.ts";
import { expect, openSignedInPage, test } from "./test.ts";

test("a comment and an answer wait for the network and are then sent exactly once", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Offline", "Bob Offline");
  const author = await openSignedInPage(browser, hearback, ada!);
  const reader = await openSignedInPage(browser, hearback, bob!);
  const path = await publishUpdate(author, "acknowledge", "Sent from a train", [bob!]);
  const waiting = "You are offline. This will be sent when you are online again";

  await reader.goto(path);
  await expect(reader.getByRole("button", { name: "Got it" })).toBeVisible();
  await reader.context().setOffline(true);
  await reader.locator("#body").fill("From the tunnel.");
  await reader.getByRole("button", { name: "Comment", exact: true }).click();
  await expect(reader.locator(".composer .failed")).toContainText(waiting);
  await reader.getByRole("button", { name: "Got it" }).click();
  await expect(reader.locator(".complaint")).toContainText(waiting);

  await reader.context().setOffline(false);
  await expect(reader.locator(".answer")).toContainText("You got it");
  await expect(reader.locator(".threads .comment")).toHaveCount(1);
  await expect(reader.locator(".threads .comment")).toContainText("From the tunnel.");
  await expect(reader.locator("#body")).toHaveValue("");
  await expect(reader.locator(".composer .failed, .complaint, .draft-state")).toHaveCount(0);
});

test("a waiting comment is not sent automatically if the person has changed its text", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Tunnel", "Bob Tunnel");
  const author = await openSignedInPage(browser, hearback, ada!);
  const reader = await openSignedInPage(browser, hearback, bob!);
  const path = await publishUpdate(author, "acknowledge", "Not finished", [bob!]);

  await reader.goto(path);
  await reader.context().setOffline(true);
  await reader.locator("#body").fill("I think");
  await reader.getByRole("button", { name: "Comment", exact: true }).click();
  await expect(reader.locator(".composer .failed")).toContainText("You are offline.");
  await reader.locator("#body").fill("I think that");
  // The text is saved as a draft instead.
  const saved = reader.waitForResponse(
    (response) => response.url().includes("/drafts/") && response.ok(),
  );
  await reader.context().setOffline(false);
  await saved;
  await expect(reader.locator(".composer .failed, .draft-state")).toHaveCount(0);
  await expect(reader.locator("#body")).toHaveValue("I think that");
  await expect(reader.locator(".threads .comment")).toHaveCount(0);
});

test("a draft that could not be saved or sent is sent when the network is back", async ({
  browser,
  hearback,
}) => {
  const [ada] = await hearback.addPeople("Ada Draft");
  const page = await openSignedInPage(browser, hearback, ada!);
  await page.goto("/updates/new");
  await page.getByLabel("Title").fill("Written on a train");
  await expect(page.locator("#save-state")).toContainText("Saved");
  await page.context().setOffline(true);
  await page.getByLabel("Notes").fill("In a tunnel.");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(page.locator("#save-state")).toContainText(
    "You are offline. This will be sent when you are online again",
  );
  await page.context().setOffline(false);
  await expect(page.getByRole("heading", { name: "Written on a train" })).toBeVisible();
  await expect(page.locator("main")).toContainText("In a tunnel.");
});

test("an answer, a comment draft and an update wait until the server is reachable again", async ({
  browser,
  freshServer,
}) => {
  const [ada, bob] = await freshServer.addPeople("Ada Outage", "Bob Outage");
  const author = await openSignedInPage(browser, freshServer, ada!);
  const reader = await openSignedInPage(browser, freshServer, bob!);
  const path = await publishUpdate(author, "acknowledge", "Just before the restart", [bob!]);
  const waiting = "The server is not responding. This will be sent when it responds again";
  await author.goto("/updates/new");
  await author.getByLabel("Title").fill("Written during the restart");
  await expect(author.locator("#save-state")).toContainText("Saved");
  await reader.goto(path);
  await expect(reader.getByRole("button", { name: "Got it" })).toBeVisible();

  await freshServer.kill();
  await author.getByLabel("Notes").fill("Nobody was there.");
  await author.getByRole("button", { name: "Send", exact: true }).click();
  await expect(author.locator("#save-state")).toContainText(waiting);
  await reader.locator("#body").fill("Kept during the restart.");
  await expect(reader.locator(".draft-state")).toContainText("Not saved on the server.");
  await reader.getByRole("button", { name: "Got it" }).click();
  await expect(reader.locator(".complaint")).toContainText(waiting);
  expect(await reader.evaluate(() => navigator.onLine)).toBe(true);

  await freshServer.restart();
  await expect(author.getByRole("heading", { name: "Written during the restart" })).toBeVisible();
  await expect(author.locator("main")).toContainText("Nobody was there.");
  await expect(reader.locator(".answer")).toContainText("You got it");
  await expect(reader.locator(".complaint, .draft-state")).toHaveCount(0);
  const elsewhere = await openSignedInPage(browser, freshServer, bob!);
  await elsewhere.goto(path);
  await expect(elsewhere.locator("#body")).toHaveValue("Kept during the restart.");
});
