import { defineConfig } from 'vitest/config'
import { SlowestFirst } from './test/order.ts'

const folders = '{shared,policy,renderer,main,electron,web,gateway,agent,cli,demo,build,test}'

/** `unit`: beside the code and in test/. `e2e`: the real doors of one demo that runs for all of them. */
export default defineConfig({
  test: {
    // Two cores run real servers beside the tests.
    maxWorkers: 2,
    sequence: { sequencer: SlowestFirst },
    // Only what hangs takes as long as the limits below: what is slow on a busy machine has not failed.
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${folders}/**/*.test.{ts,tsx}`],
          exclude: ['**/node_modules/**', '**/dist/**', 'test/e2e/**'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/setup.ts'],
          testTimeout: 180_000,
          hookTimeout: 240_000,
          // What is looked at is a screen, a page or a table of a server: looking costs, and the others need the processors, too.
          expect: { poll: { timeout: 60_000, interval: 100 } },
        },
      },
    ],
  },
})
