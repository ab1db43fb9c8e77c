import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Which files of tests come first: those that take longest, so that none of them is alone at the end while a core idles. Three need the
 * demo's one desktop, one after another, and have others between them. What is not named comes after, the largest first.
 */
const first = [
  'test/e2e/rdp.test.ts',
  'test/renderer/axe.test.ts',
  'test/e2e/desktop-opening.test.ts',
  'test/e2e/survives.test.ts',
  'test/e2e/desktop.test.ts',
  'test/renderer/app.test.ts',
  'test/e2e/results.test.ts',
  'test/e2e/approvals.test.ts',
  'test/e2e/workers.test.ts',
  'test/e2e/viewer.test.ts',
  'test/e2e/native-tools.test.ts',
  'test/e2e/bad-input.test.ts',
]

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const at = first.indexOf(relative(this.ctx.config.root, moduleId).replaceAll('\\', '/'))
      return at === -1 ? first.length : at
    }
    return (await super.sort(files)).sort((a, b) => place(a) - place(b))
  }
}
