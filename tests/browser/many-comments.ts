// An update with 500 comments.
import { readFileSync } from "node:fs";
import { expect, type Page } from "@playwright/test";
import { postUpdate } from "./markup.ts";
import { apiHeaders } from "./scene.ts";
import { fixture } from "./test.ts";

const THREADS = 100;
const REPLIES = 4;

/** Publishes an update with a video and 500 comments by both people. Returns its path. */
export async function publishWithManyComments(
  author: Page,
  reader: Page,
  readerEmail: string,
): Promise<string> {
  const { id } = await postUpdate(
    author,
    { title: "Much to say", audience: readerEmail },
    {
      name: "a.webm",
      mimeType: "video/webm",
      buffer: readFileSync(fixture("rec-vp9-opus-10s.webm")),
    },
  );
  const path = `/updates/${id}`;
  const writers = [author, reader];
  for (let n = 0; n < THREADS; n++) {
    const root = await comment(writers[n % 2]!, path, {
      body: `Remark ${n}: this part could be **shorter**, I think.`,
      at_ms: (n * 97) % 10_000,
    });
    await reader.request.put(`/comments/${root}/reactions/👍`, { headers: apiHeaders });
    for (let reply = 0; reply < REPLIES; reply++)
      await comment(writers[reply % 2]!, path, {
        body: `Reply ${reply} to it, in a sentence of an average length.`,
        parent_id: root,
      });
  }
  return path;
}

/** Posts a comment, and returns its id. */
export async function comment(page: Page, path: string, data: object): Promise<string> {
  const response = await page.request.post(`${path}/comments`, { headers: apiHeaders, data });
  expect(response.status(), await response.text()).toBe(201);
  return ((await response.json()) as { id: string }).id;
}
