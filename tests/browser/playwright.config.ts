// The configuration of the browser tests. `bin/test` runs them on both engines. In this folder, `npx playwright test`
// runs them on SQLite and disk with the program that is already built.
import { defineConfig } from "@playwright/test";

/** The paths of Debian's Chromium, which can record, and of its headless shell, which needs less CPU time. */
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
/** Whether tests that do not depend on the engine run, too. */
const runsAllTests = engine === "sqlite";

/** Tests that depend on the database or the storage run on both engines, except those tagged `@once`. */
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
  // Tests mostly wait, so two workers nearly halve the time even on two cores.
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
