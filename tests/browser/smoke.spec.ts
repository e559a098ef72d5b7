// Setup and the first sign-in. If these tests fail, the test environment is probably broken.
import { axe, expect, person, saveScreenshots, createFirstAccount, signIn, test } from "./test.ts";

test("the first admin can sign in after setup", async ({ page, freshServer }) => {
  const ada = person("Ada");
  await createFirstAccount(page, freshServer, ada);

  await page.context().clearCookies();
  await page.goto(`${freshServer.url}/session`);
  await expect(page.locator("input[name=email]")).toBeVisible();
  await saveScreenshots(page, "sign-in");
  await axe(page);

  await signIn(page, ada, `${freshServer.url}/session`);
  await expect(page.locator("input[name=password]")).toHaveCount(0);
});

test("people added on the command line can sign in", async ({ page, hearback }) => {
  const [grace] = await hearback.addPeople("Grace");
  await signIn(page, grace!);
  await expect(page.locator("input[name=password]")).toHaveCount(0);
});
