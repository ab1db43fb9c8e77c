import type { TestProject } from 'vitest/node'
import { type Ready, startDemo } from '../support/demo.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    demo: Ready
  }
}

/** One demo for all end-to-end tests. It must start, and it must stop cleanly on SIGTERM. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const demo = await startDemo()
  project.provide('demo', demo.ready)
  if (demo.ready.targets?.['desk-1'] === undefined) {
    const why = demo.said().filter((line) => line.includes('the demo has no desktop'))
    process.stderr.write(`The tests of desktops are skipped. ${why.join('\n')}\n`)
  }
  return async () => {
    const code = await demo.stop()
    if (code !== 0) throw new Error(`the demo ended with ${code} on SIGTERM`)
  }
}
