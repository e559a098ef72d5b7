// The browser tests: `bin/test` at the top of the project runs them on both engines; here, with a program that is built already,
// `npx playwright test` runs them on SQLite + disk.
import { defineConfig } from "@playwright/test";

/** Debian's Chromium, and what it is started with. */
export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const chromium = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const engine = process.env.HEARBACK_TEST ?? "sqlite";

/** What depends on the database and the storage runs on both engines; within these files, tests tagged `@once` do not. */
const onBothEngines = [
  "clients.spec.ts",
  "journey.spec.ts",
  "raw.spec.ts",
  "recovery.spec.ts",
  "trim.spec.ts",
  "uploads.spec.ts",
];
const selection =
  engine === "sqlite"
    ? { testMatch: "*.spec.ts" }
    : { testMatch: onBothEngines, grepInvert: /@once/ };

export default defineConfig({
  ...selection,
  outputDir: `results/${engine}`,
  reporter: [["list"], ["json", { outputFile: `results/${engine}.json` }]],
  // Much of what they do is waiting: two go through in little more than half the time of one after the other, also on two cores.
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    browserName: "chromium",
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    screenshot: "only-on-failure",
    launchOptions: { executablePath, args: chromium },
  },
});
