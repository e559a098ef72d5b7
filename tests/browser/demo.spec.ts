// The sign-in page of `hearback demo`.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { program } from "./server.ts";
import { axe, expect, saveScreenshots, test } from "./test.ts";

/** Starts a demo on a free port. Returns its process and its address. */
async function startDemo(): Promise<[ChildProcess, string]> {
  const demo = spawn(program, ["demo"], { stdio: ["ignore", "pipe", "ignore"] });
  for await (const line of createInterface(demo.stdout)) {
    const address = /http:\/\/\S+/.exec(line)?.[0];
    if (address !== undefined) return [demo, address];
  }
  throw new Error("the demo ended before it printed its address");
}

test("pressing a face signs in, with and without scripts", async ({ browser, page }) => {
  const [demo, address] = await startDemo();
  try {
    await page.goto(address);
    await expect(page.getByText("This is a demo")).toBeVisible();
    await saveScreenshots(page, "demo-sign-in");
    await axe(page);
    await page.getByRole("button", { name: "Grace Kim" }).click();
    await expect(page.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(page.locator(".end summary")).toContainText("Grace Kim");

    const withoutScripts = await browser.newContext({ javaScriptEnabled: false });
    const other = await withoutScripts.newPage();
    await other.goto(address);
    await other.getByRole("button", { name: "Otieno Were" }).click();
    await expect(other.getByRole("heading", { name: "Inbox" })).toBeVisible();
    await expect(other.locator(".end summary")).toContainText("Otieno Were");
    await withoutScripts.close();
  } finally {
    demo.kill("SIGTERM");
    await once(demo, "exit");
  }
});
