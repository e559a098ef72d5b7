// Recordings that an earlier version left in the browser's database. This version must be able to
// resume them, upload the missing parts and play the results. The recorder of the earlier version
// wrote tests/fixtures/spool-1 after its server was killed. Never replace this fixture, because
// users' browsers may still contain data in this format.
import { readFile, writeFile } from "node:fs/promises";
import type { APIResponse, Page } from "@playwright/test";
import {
  sha256,
  measureTone,
  measureVideoSeconds,
  fetchStoredMedia,
  TONE_HZ,
} from "./recording.ts";
import { expect, fixture, person, signIn, test } from "./test.ts";

type Recording = {
  id: string;
  url: string;
  update: string;
  media: string;
  person: string;
  safe: number;
  safeMs: number;
  name: string;
  type: string;
  began: number;
};
/** `pieces` contains only the keys of the stored pieces. Their bytes are in recording.webm. */
type Spool = {
  version: number;
  stores: { name: string; keyPath: string | null }[];
  recordings: Recording[];
  pieces: [recording: string, from: number, end: number, ms: number][];
};

test("a recording that an earlier version stored in the browser can be resumed and played", async ({
  freshServer: server,
  browser,
}, info) => {
  const [rhea] = await server.addPeople(person("Rhea"));
  const context = await browser.newContext({ baseURL: server.url });
  const page = await context.newPage();
  await signIn(page, rhea!);
  const spool = JSON.parse(await readFile(fixture("spool-1/spool.json"), "utf8")) as Spool;
  const bytes = await readFile(fixture("spool-1/recording.webm"));
  await fill(page, await onServer(page, spool, bytes), bytes);

  await page.goto("/inbox");
  const offer = page.locator("unfinished-recordings .unfinished-recording");
  await expect(offer).toContainText("0:04 recorded, 0:02 safe on the server.");
  await offer.getByRole("button", { name: "Continue the upload" }).click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  const video = page.locator(".media-item video");
  await video.evaluate((element: HTMLVideoElement) => {
    element.muted = true;
    element.currentTime = 3;
    return element.play();
  });
  await expect
    .poll(() => video.evaluate((element: HTMLVideoElement) => element.currentTime))
    .toBeGreaterThan(3.5);

  const sent = (await fetchStoredMedia(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!)).bytes;
  expect(sha256(sent)).toBe(sha256(bytes));
  const file = info.outputPath("sent.webm");
  await writeFile(file, sent);
  const sound = await measureTone(file);
  expect(sound.seconds).toBeGreaterThan(4);
  expect(sound.tone, `${TONE_HZ} Hz in the sound`).toBeGreaterThan(0.5);
  expect(await measureVideoSeconds(file)).toBeGreaterThan(4);
  expect(await left(page)).toEqual({ pieces: 0, recordings: 0 });
  await context.close();
});

/**
 * Uploads the part of the recording that the earlier server had received. Returns a copy of `spool` with the ids of
 * this server.
 */
async function onServer(page: Page, spool: Spool, bytes: Buffer): Promise<Spool> {
  const [recording] = spool.recordings;
  const { safe, name, type } = recording!;
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const headers = { "sec-fetch-site": "same-origin", "tus-resumable": "1.0.0" };
  const upload = {
    "upload-defer-length": "1",
    "upload-metadata": `filename ${base64(name)},filetype ${base64(type)}`,
  };
  const begun = await page.request.post("/uploads", { headers: { ...headers, ...upload } });
  const url = header(begun, "location");
  const bytesOf = { "content-type": "application/offset+octet-stream", "upload-offset": "0" };
  const received = await page.request.patch(url, {
    headers: { ...headers, ...bytesOf },
    data: bytes.subarray(0, safe),
  });
  expect(header(received, "upload-offset")).toBe(String(safe));
  const session = (await (
    await page.request.get("/session", { headers: { accept: "application/json" } })
  ).json()) as { person: { id: string } };
  const id = url.split("/").at(-1)!;
  const here = {
    id,
    url,
    update: header(begun, "hearback-update"),
    media: header(begun, "hearback-media"),
    person: session.person.id,
  };
  return {
    ...spool,
    recordings: [{ ...recording!, ...here }],
    pieces: spool.pieces.map(([, ...range]) => [id, ...range]),
  };
}

function header(response: APIResponse, name: string): string {
  return response.headers()[name] ?? "";
}

/** Creates the database as the earlier version did. */
async function fill(page: Page, spool: Spool, bytes: Buffer): Promise<void> {
  // Use a page without scripts, because the scripts of other pages would open the database themselves.
  await page.goto("/robots.txt");
  const pieces = spool.pieces.map((key) => ({
    key,
    base64: bytes.subarray(key[1], key[2]).toString("base64"),
  }));
  await page.evaluate(
    ({ version, stores, recordings, pieces }) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open("hearback-spool", version);
        opening.onerror = () => reject(opening.error!);
        opening.onupgradeneeded = () => {
          for (const { name, keyPath } of stores)
            opening.result.createObjectStore(name, { keyPath });
        };
        opening.onsuccess = () => {
          const writing = opening.result.transaction(["recordings", "pieces"], "readwrite");
          for (const recording of recordings) writing.objectStore("recordings").add(recording);
          for (const { key, base64 } of pieces) {
            const piece = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
            writing.objectStore("pieces").add(piece.buffer, key);
          }
          writing.onerror = () => reject(writing.error!);
          writing.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
    { ...spool, pieces },
  );
}

/** Counts the entries of the database. */
function left(page: Page): Promise<{ pieces: number; recordings: number }> {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("hearback-spool");
        opening.onerror = () => reject(opening.error!);
        opening.onsuccess = () => {
          const reading = opening.result.transaction(["recordings", "pieces"]);
          const [pieces, recordings] = [
            reading.objectStore("pieces").count(),
            reading.objectStore("recordings").count(),
          ];
          reading.oncomplete = () =>
            resolve({ pieces: pieces.result, recordings: recordings.result });
        };
      }),
  );
}
