// The browser tests: `bin/test` at the top of the project runs them on both engines; here, with a program that is built already,
// `npx playwright test` runs them on SQLite + disk.
import { defineConfig } from '@playwright/test'

/** Debian's Chromium, and what it is started with. */
export const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
export const chromium = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const engine = process.env.HEARBACK_TEST ?? 'sqlite'

/** What these do is the same whatever is behind the server, and what the server does for them is tested on both engines over HTTP. */
const once = ['access.spec.ts', 'begin.spec.ts', 'looking.spec.ts', 'loop.spec.ts', 'markup-sheet.spec.ts', 'record.spec.ts', 'send.spec.ts', 'smoke.spec.ts', 'sound.spec.ts', 'talk.spec.ts']

export default defineConfig({
  testMatch: '*.spec.ts',
  testIgnore: engine === 'sqlite' ? [] : once,
  outputDir: `results/${engine}`,
  reporter: [['list'], ['json', { outputFile: `results/${engine}.json` }]],
  // Much of what they do is waiting: two go through in little more than half the time of one after the other, also on two cores.
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: {
    browserName: 'chromium',
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    screenshot: 'only-on-failure',
    launchOptions: { executablePath, args: chromium },
  },
})
