#!/usr/bin/env node
/** `sallyport`: makes sure that packages and Node 24 are there, then hands over to `cli/main.ts`. */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const child = spawn(
  process.execPath,
  [join(here, '..', 'build', 'setup.mjs'), 'run', join(here, 'main.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 143)))
