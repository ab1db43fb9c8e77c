import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{shared,policy,renderer,main,electron,web,gateway,agent,cli,demo,build,test}/**/*.test.{ts,tsx}'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    // Two cores run real servers beside the tests.
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
