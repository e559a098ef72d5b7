// Keyboard shortcuts on non-Latin keyboard layouts. On these layouts, the page recognizes a letter
// key by its position on the keyboard.
import { pressPlace } from "./layouts.ts";
import { Editor, paintImage, pasteFile } from "./markup.ts";
import { expect, openSignedInPage, signIn, test } from "./test.ts";
import { apiHeaders } from "./scene.ts";

test("the shortcuts on the inbox page and on an update page work with Greek and Cyrillic keyboard layouts", async ({
  browser,
  hearback,
}) => {
  const [ada, bob] = await hearback.addPeople("Ada Layout", "Bob Layout");
  const author = await openSignedInPage(browser, hearback, ada!);
  const made = await author.request.post("/updates", {
    headers: apiHeaders,
    data: {
      title: "Any layout",
      audience: [bob!.email],
      expectation: "acknowledge",
      publish: true,
    },
  });
  expect(made.status(), await made.text()).toBe(201);
  const page = await openSignedInPage(browser, hearback, bob!);
  await page.goto("/inbox");
  await pressPlace(page, "ξ", "KeyJ");
  await expect(page.locator(".entry")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Any layout" })).toBeVisible();
  await pressPlace(page, "й", "KeyQ");
  await expect(page.locator("#body")).toBeFocused();
  await expect(page.getByRole("checkbox", { name: "Question" })).toBeChecked();
});

test("the shortcuts in the markup editor work with a Cyrillic keyboard layout", async ({
  page,
  hearback,
}) => {
  const [eve] = await hearback.addPeople("Eve Layout");
  await signIn(page, eve!);
  await page.goto("/updates/new");
  const editor = new Editor(page);
  await pasteFile(page, "image.png", await paintImage(page, 300, 200, "#ffffff"));
  await editor.waitUntilOpen();
  const undo = editor.dialog.getByRole("button", { name: "Undo" });
  await expect(undo).toBeDisabled();
  await pressPlace(page, "к", "KeyR");
  await expect(editor.dialog.getByRole("button", { name: "Rectangle" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await editor.drag([0.2, 0.2], [0.6, 0.6]);
  await expect(undo).toBeEnabled();
  await pressPlace(page, "я", "KeyZ", { ctrlKey: true });
  await expect(undo).toBeDisabled();
});
