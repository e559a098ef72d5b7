// The Playwright configuration of the browser benchmarks, which produce some of the figures in
// the README. Run them with `bin/bench recorder` and `bin/bench editor`.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testMatch: "*.bench.ts",
  outputDir: "results/bench",
  reporter: "line",
  workers: 1,
  timeout: 3_600_000,
  expect: { timeout: 30_000 },
  use: { actionTimeout: 60_000 },
});
