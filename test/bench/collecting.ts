import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Loaded before a gateway and its workers: on SIGUSR2 each collects its garbage and gives back what it does not use, so that what is
 * left is what it needs, and prints a line.
 */
setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')
process.on('SIGUSR2', () => {
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor: 'last-resort' })
  process.stdout.write('collected\n')
})
