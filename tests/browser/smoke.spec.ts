// The harness itself, and the first minute of a newcomer.
import { axe, expect, person, pictures, setUp, signIn, test } from "./test.ts";

test("after set-up the sign-in page opens and lets the first admin in", async ({ page, fresh }) => {
  const ada = person("Ada");
  await setUp(page, fresh, ada);

  await page.context().clearCookies();
  await page.goto(`${fresh.url}/session`);
  await expect(page.locator("input[name=email]")).toBeVisible();
  await pictures(page, "sign-in");
  await axe(page);

  await signIn(page, ada, `${fresh.url}/session`);
  await expect(page.locator("input[name=password]")).toHaveCount(0);
});

test("people added on the command line can sign in", async ({ page, hearback }) => {
  const [grace] = await hearback.people("Grace");
  await signIn(page, grace!);
  await expect(page.locator("input[name=password]")).toHaveCount(0);
});
