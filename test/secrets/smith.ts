import pg from 'pg'
import { safeFunctions, safeOperators } from '../../agent/inspect/postgres/sql/function-lists.ts'
import { run } from '../support/run.ts'
import { schema } from './schema.ts'
import { shelf } from './shelf.ts'

/**
 * Statements of sqlsmith over the schema. It looks at a database of its own, where what would nearly always be refused is out of its sight:
 * most masked columns, because it filters and compares by whatever there is, and functions and operators that may fail over a value.
 */
export async function smithed(program: string, port: number, seed: number, count: number): Promise<string[]> {
  const place = { host: '127.0.0.1', port, user: 'postgres' }
  const decoy = 'decoy'
  await one({ ...place, database: 'postgres' }, `drop database if exists ${decoy}`, `create database ${decoy}`)
  await one({ ...place, database: decoy }, schema, ...hiding)
  for (const sql of shelf().filter((text) => text.startsWith('create view')))
    await one({ ...place, database: decoy }, `set search_path = worlds; ${sql}`).catch(() => undefined)
  const target = `--target=host=127.0.0.1 port=${port} user=postgres dbname=${decoy} options='-c search_path=worlds'`
  const made = await run(
    program,
    [target, '--dry-run', '--exclude-catalog', `--seed=${seed}`, `--max-queries=${count}`],
    {
      timeoutMs: 600_000,
    },
  )
  // What hides is still named here and there. A sample would be another one each time.
  const usable = (text: string) => text !== '' && !/ri_fkey_|\?#\?/.test(text)
  return made.stdout
    .replaceAll(/tablesample \w+ \([\d.]+\)/g, '')
    .split(/;\n/)
    .map((text) => text.trim())
    .filter(usable)
}

const quoted = (names: ReadonlySet<string>) => [...names].map((name) => `'${name}'`).join(', ')

/** It passes over functions of such names. */
const hiding = [
  'set allow_system_table_mods = on',
  `do $$ declare one record; begin
    for one in select distinct attrelid::regclass as of, attname from pg_attribute join pg_class c on c.oid = attrelid
      where relnamespace = 'worlds'::regnamespace and relkind in ('r', 'p') and (attname ~ '^(s_|filler)' or attname ~ '^[cl]_' and attname not in ('c_t', 'l_z', 'c_u', 'l_m', 'c_j')) and attinhcount = 0 and not attisdropped
    loop execute format('alter table %s drop column if exists %I cascade', one.of, one.attname); end loop; end $$`,
  `update pg_proc set proname = 'ri_fkey_' || oid where pronamespace = 'pg_catalog'::regnamespace and prokind = 'f' and not proretset
    and proname not in (${quoted(safeFunctions)}, 'quote_ident', 'format', 'version')`,
  `update pg_operator set oprname = '?#?' || oid where oprnamespace = 'pg_catalog'::regnamespace
    and oprname not in (${quoted(safeOperators)})`,
]

async function one(config: pg.ClientConfig, ...texts: readonly string[]): Promise<void> {
  const client = new pg.Client(config)
  await client.connect()
  try {
    for (const text of texts) await client.query(text)
  } finally {
    await client.end()
  }
}
