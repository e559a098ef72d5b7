// Frames a second that the recorder keeps at 1080p: the recording tab hidden beside visible, the screen alone beside the camera in a bubble on it.
// Another tab, which never stands still, is what is recorded. Counted are the frames that the server got, by ffprobe.
//   node benches/recorder.mjs [seconds]   needs target/debug/hearback, tests/browser/node_modules, Chromium and ffmpeg
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { chromium } = createRequire(join(root, "tests/browser/"))("@playwright/test");
const program = process.env.HEARBACK_BIN ?? join(root, "target/debug/hearback");
const seconds = Number(process.argv[2] ?? 10);

const folder = mkdtempSync(join(tmpdir(), "hearback-bench-"));
const env = { ...process.env, HEARBACK_DATA: folder, HEARBACK_LISTEN: "127.0.0.1:0" };
const server = spawn(program, ["serve"], { env, stdio: ["ignore", "pipe", "ignore"] });
const base = await new Promise((found) => createInterface({ input: server.stdout }).on("line", (line) => { const link = /(https?:\/\/\S+)\/setup\?code=/.exec(line); if (link) found(link[1]); }));
execFileSync(program, ["person", "add", "--email", "ada@example.org", "--name", "Ada", "--password-stdin"], { env, input: "correct horse battery staple\n" });

// As people run it: none of Playwright's flags that keep hidden tabs awake.
const browser = await chromium.launchPersistentContext(join(folder, "browser"), {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  ignoreDefaultArgs: ["--mute-audio", "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding"],
  permissions: ["camera", "microphone"],
  viewport: { width: 1920, height: 1080 },
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--use-fake-device-for-media-stream", "--auto-select-tab-capture-source-by-title=Slides"],
});
try {
  const slides = await browser.newPage();
  await slides.goto("data:text/html,<title>Slides</title><style>body{margin:0;height:100vh;background:wheat}i{position:absolute;top:40%25;width:200px;height:200px;background:brown;animation:go 2s linear infinite alternate}@keyframes go{to{transform:translateX(1600px)}}</style><i></i>");
  const page = await browser.newPage();
  await page.goto(`${base}/session`);
  await page.locator("input[name=email]").fill("ada@example.org");
  await page.locator("input[name=password]").fill("correct horse battery staple");
  await page.locator("input[name=password]").press("Enter");
  await page.waitForURL((url) => url.pathname !== "/session");

  const rows = [];
  for (const source of ["screen", "both"]) for (const hidden of [false, true]) rows.push(await measure(page, slides, source, hidden));
  console.table(rows);
} finally {
  await browser.close();
  server.kill("SIGTERM");
  await once(server, "exit");
  rmSync(folder, { recursive: true, force: true });
}

async function measure(page, slides, source, hidden) {
  await page.bringToFront();
  await page.goto(`${base}/updates/new`);
  const recorder = page.locator("screen-recorder");
  await page.getByRole("button", { name: /^Record/ }).click();
  await recorder.locator(`input[name=source][value=${source}]`).check();
  await page.locator(".heard-line [data-part=heard]", { hasText: /hear/ }).waitFor();
  await recorder.getByRole("button", { name: "Record", exact: true }).click();
  await page.waitForFunction(() => document.querySelector("screen-recorder")?.dataset.state === "recording");
  if (hidden) {
    await slides.bringToFront();
    await emulateFocus(page, false);
  }
  // How often the page itself is drawn meanwhile: proof that it is hidden, or not.
  const drawn = await page.evaluate((ms) => new Promise((done) => {
    let frames = 0;
    const next = () => { frames += 1; requestAnimationFrame(next); };
    requestAnimationFrame(next);
    setTimeout(() => done(`${document.visibilityState}, ${Math.round((frames * 1000) / ms)} a second`), ms);
  }), seconds * 1000);
  await emulateFocus(page, true);
  await page.bringToFront();
  await recorder.getByRole("button", { name: "Stop" }).click();
  await page.locator(".media-item video").waitFor();
  const id = /updates\/([0-9a-z]+)/.exec(page.url())[1];
  // What is measured next must not share the processor with the conversion of this one.
  let medium;
  do medium = (await (await page.request.get(`${base}/updates/${id}`, { headers: { accept: "application/json" } })).json()).media[0];
  while (medium.state === "processing" && (await page.waitForTimeout(500)) === undefined);
  const address = medium.renditions.find(({ name }) => name === "original").url;
  const file = join(folder, "recorded");
  writeFileSync(file, await (await page.request.get(new URL(address, base).href)).body());
  const packets = execFileSync("ffprobe", ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-show_entries", "stream=codec_name,width,height", "-of", "json", file]);
  const { packets: times, streams: [{ codec_name, width, height }] } = JSON.parse(packets);
  const at = times.map(({ pts_time }) => Number(pts_time)).sort((a, b) => a - b);
  const gaps = at.slice(1).map((time, index) => time - at[index]);
  return {
    "what": source === "both" ? "screen and bubble" : "screen",
    "the page": drawn,
    "recorded": `${codec_name} ${width}×${height}`,
    "seconds": Number((at.at(-1) - at[0]).toFixed(1)),
    "frames a second": Number((gaps.length / (at.at(-1) - at[0])).toFixed(1)),
    "longest gap, ms": Math.round(Math.max(...gaps) * 1000),
  };
}

/** Playwright has every page believe that it is looked at, and has no word for the opposite: this reaches for what it drives the browser with. */
async function emulateFocus(page, enabled) {
  await page._connection.toImpl(page).delegate._mainFrameSession._client.send("Emulation.setFocusEmulationEnabled", { enabled });
}
