// Measures how many seconds of a recording are lost when the tab, browser, server or network fails at a random moment.
// HEARBACK_BENCH_TIMES is the number of runs for each kind of failure (20 by default).
import { writeFile } from "node:fs/promises";
import { expect, test, type Page } from "@playwright/test";
import { sha256, RecordingBrowser, measureVideoSeconds, fetchStoredMedia } from "./recording.ts";
import { Hearback } from "./server.ts";

const times = Number(process.env.HEARBACK_BENCH_TIMES ?? 20);
/** Returns a random number of seconds. */
const between = (from: number, to: number) => from + Math.random() * (to - from);
const wait = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));

/** Recovers a recording whose tab or browser was killed. Returns how many of the recorded seconds are lost. */
async function lost(page: Page, recorded: number, file: string): Promise<number> {
  await page.goto("/inbox");
  const offer = page.locator("unfinished-recordings .unfinished-recording");
  await offer.getByRole("button", { name: /^(Continue the upload|Finish)$/ }).click();
  await page.waitForURL(/\/updates\/[0-9a-z]+\/edit/);
  return recorded - (await length(page, file));
}

/**
 * Returns how many seconds of the recording are stored. The page must show the recording's draft. `file` is the path to
 * which the recording is downloaded.
 */
async function length(page: Page, file: string): Promise<number> {
  const { bytes } = await fetchStoredMedia(page, /updates\/([0-9a-z]+)/.exec(page.url())![1]!);
  await writeFile(file, bytes);
  return measureVideoSeconds(file);
}

async function stop(page: Page): Promise<void> {
  await page.locator("[data-do=stop]").click();
  await expect(page.locator("[data-do=open]")).toBeVisible();
}

test("seconds of a recording lost in a failure", async ({}, info) => {
  const server = await Hearback.start("bench");
  const file = info.outputPath("stored");
  const rows: string[] = [];
  const kinds: [string, (studio: RecordingBrowser) => Promise<number>][] = [
    [
      "tab killed",
      async (studio) => {
        const recorded = await studio.killTabs();
        return lost(await studio.context.newPage(), recorded, file);
      },
    ],
    [
      "browser killed",
      async (studio) => {
        const recorded = await studio.killBrowser();
        const after = await RecordingBrowser.open(server, studio.person, studio.folder);
        const seconds = await lost(after.page, recorded, file);
        await after.close();
        return seconds;
      },
    ],
    [
      "server killed",
      async (studio) => {
        await server.kill();
        await wait(between(0, 3));
        await server.restart();
        return goneOn(studio);
      },
    ],
    [
      "network gone",
      async (studio) => {
        await studio.context.setOffline(true);
        await wait(between(0.5, 4));
        await studio.context.setOffline(false);
        return goneOn(studio);
      },
    ],
  ];
  /** Stops a recording that has survived the failure. Returns how many of its seconds are not stored. */
  const goneOn = async (studio: RecordingBrowser): Promise<number> => {
    await wait(between(1, 3));
    await stop(studio.page);
    const all = Buffer.concat(studio.chunks);
    await writeFile(file, all);
    const recorded = await measureVideoSeconds(file);
    const { bytes } = await fetchStoredMedia(
      studio.page,
      /updates\/([0-9a-z]+)/.exec(studio.page.url())![1]!,
    );
    expect(sha256(bytes)).toBe(sha256(all.subarray(0, bytes.length)));
    return recorded - (await length(studio.page, file));
  };
  for (const [name, act] of kinds) {
    const all: number[] = [];
    for (let time = 0; time < times; time += 1) {
      // Use a new person each time, because sign-ins are rate limited per account.
      const [who] = await server.addPeople(`${name} ${time}`);
      const studio = await RecordingBrowser.open(server, who!, info.outputPath(`${name} ${time}`));
      await studio.recordUntilSafe(0);
      await wait(between(1, 5));
      all.push(await act(studio));
      await studio.close();
      console.log(`${name} ${time + 1}: ${all.at(-1)!.toFixed(2)} s`);
    }
    all.sort((a, b) => a - b);
    const median = all[all.length >> 1]!;
    rows.push(
      `| ${name} | ${times} | ${Math.max(0, median).toFixed(2)} s | ${Math.max(0, all.at(-1)!).toFixed(2)} s |`,
    );
  }
  await server.stop();
  console.log(
    ["| what died | times | median lost | most lost |", "| --- | --- | --- | --- |", ...rows].join(
      "\n",
    ),
  );
});
