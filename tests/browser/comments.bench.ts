// Measures the page of an update with 500 comments: its size, the CPU time of the server, the time until the page can be
// used in Chromium, its longest task, and the time until a new comment appears.
//
// HEARBACK_BIN names the program to measure.
import { readFileSync } from "node:fs";
import { chromium, expect, test, type Page } from "@playwright/test";
import { chromiumArgs, executablePath } from "./playwright.config.ts";
import { comment, publishWithManyComments } from "./many-comments.ts";
import { apiHeaders } from "./scene.ts";
import { Hearback } from "./server.ts";
import { openSignedInPage } from "./test.ts";

const REQUESTS = 200;
const LOADS = 7;
const COMMENTS = 10;

/** The CPU time that the process has used, in milliseconds. */
function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function cpuPerRequest(server: Hearback, page: Page, path: string, accept: string) {
  const ask = () => page.request.get(path, { headers: { ...apiHeaders, accept } });
  for (let n = 0; n < 20; n++) await ask();
  const before = cpuTime(server.pid);
  for (let n = 0; n < REQUESTS; n++) await ask();
  const response = await ask();
  return {
    ms: (cpuTime(server.pid) - before) / REQUESTS,
    bytes: (await response.body()).length,
  };
}

/** Loads the page. Returns the time until it can be used, its longest task, and how many elements and nodes it has. */
async function load(page: Page, path: string) {
  await page.goto("/me");
  await page.goto(path, { waitUntil: "load" });
  return page.evaluate(async () => {
    const tasks: PerformanceEntry[] = [];
    new PerformanceObserver((list) => tasks.push(...list.getEntries())).observe({
      type: "longtask",
      buffered: true,
    });
    await new Promise((done) => setTimeout(done, 1500));
    const [navigation] = performance.getEntriesByType(
      "navigation",
    ) as PerformanceNavigationTiming[];
    const ends = tasks
      .filter(({ startTime }) => startTime < 4000)
      .map((task) => task.startTime + task.duration);
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL);
    let nodes = 0;
    while (walker.nextNode()) nodes++;
    return {
      usable: Math.max(navigation!.domContentLoadedEventEnd, ...ends),
      longest: Math.max(0, ...tasks.map(({ duration }) => duration)),
      elements: document.querySelectorAll("*").length,
      forms: document.querySelectorAll("form").length,
      nodes,
    };
  });
}

/** Resolves with the time at which a comment with this text appears. */
function appearance(page: Page, text: string): Promise<number> {
  return page.evaluate(
    (text) =>
      new Promise<number>((done) => {
        const list = document.getElementById("threads")!;
        const look = () => {
          if (!list.textContent?.includes(text)) return;
          observer.disconnect();
          requestAnimationFrame(() => done(Date.now()));
        };
        const observer = new MutationObserver(look);
        observer.observe(list, { childList: true, subtree: true, characterData: true });
      }),
    text,
  );
}

const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

test("the page of an update with 500 comments", async () => {
  const browser = await chromium.launch({ executablePath, args: chromiumArgs });
  const server = await Hearback.start("bench");
  const [ada, bob] = await server.addPeople("Ada Bench", "Bob Bench");
  const [author, reader] = [
    await openSignedInPage(browser, server, ada!),
    await openSignedInPage(browser, server, bob!),
  ];
  const path = await publishWithManyComments(author, reader, bob!.email);
  const page = await cpuPerRequest(server, reader, path, "text/html");
  const list = await cpuPerRequest(server, reader, `${path}/comments`, "application/json");
  console.log(`page: ${page.ms} ms CPU, ${page.bytes} bytes`);
  console.log(`list: ${list.ms} ms CPU, ${list.bytes} bytes`);

  const loads = [];
  for (let n = 0; n < LOADS; n++) loads.push(await load(reader, path));
  const { elements, nodes, forms } = loads[0]!;
  console.log(`usable: ${median(loads.map(({ usable }) => usable))} ms`);
  console.log(`longest task: ${median(loads.map(({ longest }) => longest))} ms`);
  console.log(`${elements} elements, ${nodes} nodes, ${forms} forms`);

  const [live, own]: number[][] = [[], []];
  for (let n = 0; n < COMMENTS; n++) {
    const appears = appearance(reader, `Live ${n}.`);
    await comment(author, path, { body: `Live ${n}.` });
    const sent = Date.now();
    live!.push((await appears) - sent);
  }
  for (let n = 0; n < COMMENTS; n++) {
    const appears = appearance(reader, `Own ${n}.`);
    await reader.locator("#body").fill(`Own ${n}.`);
    const sent = Date.now();
    await reader.locator("#body").press("Control+Enter");
    own!.push((await appears) - sent);
    await expect(reader.locator("#body")).toHaveValue("");
  }
  console.log(`a comment by somebody else appears after ${median(live!)} ms (${live!.join(", ")})`);
  console.log(`one's own comment appears after ${median(own!)} ms (${own!.join(", ")})`);
  await browser.close();
  await server.stop();
});
