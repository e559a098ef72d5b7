// The Playwright configuration of the simulation that bin/simulate runs. The simulation needs no
// browser.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testMatch: "simulate.ts",
  outputDir: "results/simulation",
  reporter: "line",
  workers: 1,
  timeout: 3_600_000,
});
