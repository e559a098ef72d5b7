// The configuration of the simulated team, which bin/simulate runs. It needs no browser.
import { defineConfig } from "@playwright/test";

export default defineConfig({
  testMatch: "simulate.ts",
  outputDir: "results/simulation",
  reporter: "line",
  workers: 1,
  timeout: 3_600_000,
});
