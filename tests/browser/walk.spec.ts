// A walk through the loop as a screen reader reads it: sign in, open an update from the inbox, play it, comment and answer,
// and the author sees who heard. docs/ACCESSIBILITY.md shows each step as a tree of roles and names. This test expects the
// pages to contain these lines, in this order; the pages may have further ones.
//
// With HEARBACK_WALK=write, the test writes the trees into docs/ACCESSIBILITY.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "@playwright/test";
import { postUpdate } from "./markup.ts";
import { Scene } from "./scene.ts";
import { expect, fixture, Hearback, here, test } from "./test.ts";

const docs = join(here, "../../docs/ACCESSIBILITY.md");
const isWriting = process.env["HEARBACK_WALK"] === "write";

/** Compares an element with the tree of this step in the docs. */
async function step(name: string, element: Locator): Promise<void> {
  const text = readFileSync(docs, "utf8");
  const block = new RegExp(`(<!-- ${name} -->\\s*\`\`\`yaml\\n)([^\`]*)`);
  const match = block.exec(text);
  if (!match) throw new Error(`docs/ACCESSIBILITY.md has no step ${name}`);
  if (!isWriting) return expect(element, name).toMatchAriaSnapshot(match[2]!);
  const tree = withoutDetails(await element.ariaSnapshot());
  writeFileSync(
    docs,
    text.replace(block, (_, start: string) => `${start}${tree}\n`),
  );
}

/** Leaves out addresses, which contain ids, and the exact time, which only browsers without scripts show. */
function withoutDetails(tree: string): string {
  const lines = tree
    .split("\n")
    .filter((line) => !/^\s*- \/(url|placeholder):/.test(line))
    .map((line) =>
      line
        .replace(/time: \d+ \w+ \d{4}, \d\d:\d\d(\w+)$/, "time: /$1/")
        .replace(/"Link to this comment, .*"/, "/Link to this comment/"),
    );
  const depth = (line = "") => line.search(/\S|$/);
  // A colon without anything below it would be an error.
  return lines
    .map((line, index) =>
      depth(lines[index + 1]) > depth(line) ? line : line.replace(/(["/\]]):$/, "$1"),
    )
    .join("\n");
}

test("the walk through the loop in docs/ACCESSIBILITY.md is true", async ({ browser }) => {
  const server = await Hearback.start("walk", {}, "2026-12-01T09:00:00Z");
  try {
    const scene = await Scene.create(browser, server, [
      ["Ada Lind", "Europe/London", "en-GB"],
      ["Bob Okafor", "Europe/London", "en-GB"],
    ]);
    const [author, reader] = [scene.pages[0]!, scene.pages[1]!];
    const { id } = await postUpdate(
      author,
      {
        title: "The new rota",
        notes: "The night shift starts earlier.",
        audience: scene.people[1]!.email,
        expectation: "readback",
      },
      {
        name: "rota.webm",
        mimeType: "video/webm",
        buffer: readFileSync(fixture("rec-vp9-opus-10s.webm")),
      },
    );
    const stranger = await browser.newPage({ baseURL: server.url });
    await stranger.goto("/session");
    await step("sign in", stranger.locator("main"));

    const announced = reader.locator("#announcements");
    await reader.goto("/inbox");
    await step("inbox", reader.getByRole("region", { name: /To answer/ }));
    await reader.keyboard.press("j");
    await step("row", announced);
    await reader.keyboard.press("Enter");
    await expect(reader.getByRole("heading", { level: 1, name: "The new rota" })).toBeVisible();
    await expect(reader.locator("video")).toHaveJSProperty("readyState", 4);
    await step("update", reader.locator("main"));

    await reader.keyboard.press("k");
    await expect(announced).toHaveText("Playing.");
    await step("play", announced);
    await reader.keyboard.press("k");
    await reader.keyboard.press("j");
    await reader.keyboard.press("ArrowRight");
    await step("position", announced);

    await reader.keyboard.press("c");
    await step("comment", announced);
    await reader.keyboard.type("Does this include Sunday?");
    await reader.keyboard.press("Control+Enter");
    const comment = reader.getByRole("article", { name: "Bob Okafor" });
    await expect(comment).toBeVisible();
    await step("commented", announced);
    await step("thread", comment);

    await reader.keyboard.press("Escape");
    await reader.keyboard.press("a");
    await reader.keyboard.type("I start at 21:00.");
    await reader.getByRole("button", { name: "Say it back" }).press("Enter");
    await expect(announced).toContainText("You said it back.");
    await step("answered", announced);

    await author.goto(`/updates/${id}/receipts`);
    await step("who heard", author.locator("main"));
  } finally {
    await server.stop();
  }
});
