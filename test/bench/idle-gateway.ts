import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { startThrough } from '../conformance/through.ts'

/**
 * A gateway of its own process, so that its memory is its own: in front of the PostgreSQL (or what stands in for one) at
 * `PORT USER PASSWORD DATABASE`. Prints a session token as one line of JSON. On SIGUSR2 it collects its garbage, so that what is left
 * is what it needs, and prints a line; it ends on SIGTERM.
 */
const [port, user = '', password = '', database = ''] = process.argv.slice(2)
const through = await startThrough({ port: Number(port), user, password }, [database])
process.stdout.write(`${JSON.stringify(await through.token(database))}\n`)
setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')
process.on('SIGUSR2', () => {
  if (typeof collect === 'function') collect()
  process.stdout.write('collected\n')
})
process.once('SIGTERM', () => void through.close().then(() => process.exit(0)))
