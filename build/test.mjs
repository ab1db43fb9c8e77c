/** Runs the checks and every test, and closes with one line: `N passed, N failed, N skipped`. */
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const args = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
const report = join(folder, 'report.json')
const shell = process.platform === 'win32'

/** Side by side, each list in its order: about as long as one another. */
const checks = args.length === 0 ? [['check:types'], ['check:lint', 'check:layers', 'check:unused']] : []
let passed = 0
let failed = 0
let skipped = 0

/** Shows what it says when it has ended: two at once would mix. */
function check(name) {
  return new Promise((resolve) => {
    execFile('npm', ['run', '--silent', name], { shell, maxBuffer: 2 ** 28 }, (error, stdout, stderr) => {
      process.stdout.write(stdout)
      process.stderr.write(stderr)
      if (error === null) passed += 1
      else {
        failed += 1
        console.error(`${name} failed`)
      }
      resolve()
    })
  })
}

await Promise.all(
  checks.map(async (names) => {
    for (const name of names) await check(name)
  }),
)

const run = spawnSync(
  'npx',
  ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
  { stdio: 'inherit', shell },
)
if (existsSync(report)) {
  const result = JSON.parse(readFileSync(report, 'utf8'))
  passed += result.numPassedTests
  failed += result.numFailedTests
  skipped += result.numPendingTests + result.numTodoTests
  for (const { assertionResults } of result.testResults)
    for (const { status, failureMessages, fullName } of assertionResults)
      if (status === 'passed' && failureMessages.length > 0)
        console.log(`passed at the second try only: ${fullName}\n  ${failureMessages[0].split('\n')[0]}`)
  // A file that can't be loaded fails no single test, yet it is a failure.
  if (!result.success && result.numFailedTests === 0) failed += Math.max(1, result.numFailedTestSuites)
} else failed += 1
if (run.status !== 0 && failed === 0) failed = 1
rmSync(folder, { recursive: true, force: true })

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
