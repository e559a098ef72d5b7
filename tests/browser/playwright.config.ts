// The configuration of the browser tests. `bin/test` runs all of them on SQLite and disk, and some of them again on
// PostgreSQL and S3. In this folder, `npx playwright test` runs all of them on SQLite and disk with the program that is
// already built.
import { defineConfig } from "@playwright/test";

/**
 * The paths of two browsers from Debian: Chromium, which can record, and its headless shell, which needs less CPU time.
 */
export const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const headlessShell = process.env.HEADLESS_SHELL ?? "/usr/bin/chromium-headless-shell";
export const chromiumArgs = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const engine = process.env.HEARBACK_TEST ?? "sqlite";
/** Whether to run all tests, including those that do not depend on the database or the storage. */
const runsAllTests = engine === "sqlite";

/**
 * Files whose tests depend on the database or the storage. These tests run on both engines (SQLite and PostgreSQL),
 * except tests tagged `@once`, which run only on SQLite.
 */
const onBothEngines = [
  "clients.spec.ts",
  "journey.spec.ts",
  "raw.spec.ts",
  "recovery-offers.spec.ts",
  "recovery-outages.spec.ts",
  "recovery.spec.ts",
  "trim.spec.ts",
  "uploads.spec.ts",
];
/** Tests that record. Each keeps a core busy, so only one of them runs at a time. */
const recordingTests = [
  "record-picture.spec.ts",
  "record-problems.spec.ts",
  "record-start.spec.ts",
  "record.spec.ts",
  "recovery-offers.spec.ts",
  "recovery-outages.spec.ts",
  "recovery.spec.ts",
  "sound.spec.ts",
  "stalled.spec.ts",
  "unanswered.spec.ts",
];
const isSelected = (file: string): boolean => runsAllTests || onBothEngines.includes(file);

export default defineConfig({
  projects: [
    { name: "recording", testMatch: recordingTests.filter(isSelected), workers: 1 },
    {
      name: "pages",
      testMatch: runsAllTests ? "*.spec.ts" : onBothEngines,
      testIgnore: recordingTests,
    },
  ],
  ...(runsAllTests ? {} : { grepInvert: /@once/ }),
  outputDir: `results/${engine}`,
  reporter: [["list"], ["json", { outputFile: `results/${engine}.json` }]],
  // Even on two cores, two workers nearly halve the total time, because tests spend most of their
  // time waiting.
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 120_000,
  expect: { timeout: 20_000 },
  use: {
    browserName: "chromium",
    actionTimeout: 20_000,
    navigationTimeout: 30_000,
    permissions: ["clipboard-read", "clipboard-write"],
    screenshot: "only-on-failure",
    launchOptions: { executablePath: headlessShell, args: chromiumArgs },
  },
});
