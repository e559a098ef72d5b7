// What comes before a recording runs: it is called off, refused or left, and leaves nothing behind.
import { expect, test } from "./test.ts";
import { handles, record, recorded, recorder, studio } from "./studio.ts";

test("what ends or is called off before it records leaves nothing, and the next one records", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(180_000);
  const [roma] = await hearback.people("Roma");
  const { page, close } = await studio(playwright, hearback, roma!);
  const end = await handles(page);
  const press = () => recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  const state = (name: string) =>
    expect(recorder(page)).toHaveAttribute("data-state", name, { timeout: 30_000 });
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
  await press();
  await state("counting");
  await end("video");
  await state("set");
  await expect(
    page.getByText(
      /The camera was unplugged before it recorded. “.*” is used now. Press Record again./,
    ),
  ).toBeVisible();
  await expect(page).toHaveURL(/\/updates\/new$/);
  await expect(page.getByLabel("Title")).toHaveValue("");

  await recorder(page).getByRole("radio", { name: "Screen", exact: true }).check();
  await press();
  await state("counting");
  await end("screen");
  await state("set");
  await expect(
    page.getByText("The screen is no longer shared, so nothing is recorded. Press Record again."),
  ).toBeVisible();

  // The server takes its time: one can still call it off, and what fails then is none of the next one's business.
  let answer!: () => void;
  const slow = new Promise<void>((resolve) => (answer = resolve));
  await page.route(
    "**/uploads",
    async (route) => {
      await slow;
      await route.fulfill({ status: 503, body: "" });
    },
    { times: 1 },
  );
  await press();
  await expect(page.locator('[data-part="number"]')).toHaveText("…");
  await page.keyboard.press("Escape");
  await state("set");
  await press();
  await state("counting");
  answer();
  await state("recording");
  await recorded(page, 1);

  // Its end comes while one is asked whether to throw it away.
  await page.getByRole("button", { name: "Restart" }).click();
  await end("screen");
  await expect(
    page.getByText(
      "The screen is no longer shared, and the recording ended there. All of it is kept.",
    ),
  ).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Begin again" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(1);
  await state("idle");

  // Back in the history while it counts: the upload goes again.
  await record(page, "Camera");
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.locator(".media-item video")).toHaveCount(2);
  await page.getByRole("link", { name: "Library" }).click();
  await expect(page).toHaveURL(/\/updates$/);
  await page.getByRole("link", { name: /^New/ }).first().click();
  await page.getByRole("button", { name: /^Record/ }).click();
  await press();
  await state("counting");
  await expect(page).toHaveURL(/\/edit$/);
  await page.goBack();
  await expect(page).toHaveURL(/\/updates$/);
  await expect
    .poll(
      async () =>
        (
          (await (
            await page.request.get("/uploads", { headers: { accept: "application/json" } })
          ).json()) as { items: unknown[] }
        ).items.length,
    )
    .toBe(0);
  await close();
});

test("a server that takes no recording now is said to in words, and nothing else is wrong", async ({
  playwright,
  hearback,
}) => {
  const [rina] = await hearback.people("Rina");
  const { page, close } = await studio(playwright, hearback, rina!);
  const wrong: Error[] = [];
  page.on("pageerror", (error) => wrong.push(error));
  await page.route("**/uploads", (route) =>
    route.request().method() === "POST"
      ? route.fulfill({
          status: 429,
          contentType: "application/problem+json",
          body: JSON.stringify({ title: "Too many", detail: "Too many uploads are open." }),
        })
      : route.fallback(),
  );
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
  await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
  await expect(page.getByText("Too many uploads are open.")).toBeVisible();
  await expect(recorder(page)).toHaveAttribute("data-state", "set");
  expect(wrong).toEqual([]);
  await close();
});

test("a page that is left while it counts leaves no draft and no upload; what was written stays", async ({
  playwright,
  hearback,
}) => {
  test.setTimeout(120_000);
  const [romy] = await hearback.people("Romy");
  const { page, context, close } = await studio(playwright, hearback, romy!);
  page.on("dialog", (dialog) => void dialog.accept());
  // Draft and upload are there, and it never begins.
  await context.addInitScript(() => {
    MediaRecorder.prototype.start = () => {};
  });
  const there = async (path: string) =>
    (
      (await (
        await page.request.get(path, { headers: { accept: "application/json" } })
      ).json()) as { items: unknown[] }
    ).items.length;
  const drafts = () => there("/updates?author=me&state=draft");
  const counting = async () => {
    await page.goto("/updates/new");
    await page.getByRole("button", { name: /^Record/ }).click();
    await recorder(page).getByRole("radio", { name: "Camera", exact: true }).check();
    await recorder(page).getByRole("button", { name: "Record", exact: true }).click();
    await expect(page.locator('[data-part="number"]')).toHaveText("…", { timeout: 20_000 });
    await expect.poll(() => there("/uploads")).toBe(1);
    expect(await drafts()).toBe(1);
  };
  await counting();
  await page.getByRole("link", { name: "Library" }).click();
  await expect(page).toHaveURL(/\/updates$/);
  await expect.poll(drafts).toBe(0);
  expect(await there("/uploads")).toBe(0);

  await counting();
  await page.goto("/inbox");
  await expect.poll(drafts).toBe(0);
  await expect.poll(() => there("/uploads")).toBe(0);
  await expect(page.locator("unfinished-recordings li")).toHaveCount(0);

  await counting();
  await page.getByLabel("Notes").fill("Mine");
  await expect(page.locator("#save-state")).toHaveText("Saved");
  await page.goto("/inbox");
  await expect.poll(() => there("/uploads")).toBe(0);
  expect(await drafts()).toBe(1);
  await close();
});
