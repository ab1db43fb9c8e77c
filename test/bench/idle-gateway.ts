import { allowAll, startThrough } from '../conformance/through.ts'
import { moreRules } from './policy.ts'

/**
 * A gateway of its own process, so that its memory is its own, with as many rules as the demo: in front of the PostgreSQL (or what stands in for one) at
 * `PORT USER PASSWORD DATABASE`. Prints a session token as one line of JSON. It ends on SIGTERM.
 */
const [port, user = '', password = '', database = ''] = process.argv.slice(2)
const policy = `${allowAll}${moreRules(1)}`
const through = await startThrough({ port: Number(port), user, password }, [database], { policy })
process.stdout.write(`${JSON.stringify(await through.token(database))}\n`)
process.once('SIGTERM', () => void through.close().then(() => process.exit(0)))
