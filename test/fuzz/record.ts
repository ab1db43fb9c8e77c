import { writeFile } from 'node:fs/promises'
import type { Duplex } from 'node:stream'
import pg from 'pg'
import { readCatalog } from '../../agent/inspect/postgres/catalog/read.ts'
import { block, dialTarget, openDoor } from '../../agent/inspect/postgres/testing/door.ts'
import { startPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'
import { talk } from '../../agent/inspect/postgres/testing/wire.ts'
import { corpusFile, type Heard, type Recorded } from './corpus.ts'
import { scripts, tables } from './scripts.ts'

/** `node test/fuzz/record.ts`: records the corpus anew from a real PostgreSQL. */
const postgres = await startPostgres()
const conversations: Recorded['conversations'] = []
try {
  await postgres.direct(`set role app; ${tables}; reset role`)
  for (const [name, script] of Object.entries(scripts)) await record(name, (port) => talk(port, script))
  await record('a driver that describes and names its statements', (port) => drive(port))
  const client = new pg.Client({ ...clientOptions(), options: '-c search_path=' })
  await client.connect()
  const { own, builtIn } = await readCatalog(client, undefined)
  const version = await client.query<{ server_version: string }>('show server_version')
  await client.end()
  // Of what comes with the server, that which is named.
  const words = new Set(conversations.flatMap(wordsOf))
  const named = ({ name }: { name: string }) => words.has(name)
  const recorded: Recorded = {
    postgres: version.rows[0]?.server_version ?? '',
    conversations,
    relations: [...own.relations, ...builtIn.relations.filter(named)],
    functions: [...own.functions, ...builtIn.functions.filter(named)],
  }
  await writeFile(corpusFile, `${JSON.stringify(recorded)}\n`)
} finally {
  await postgres.close()
}

function clientOptions(): pg.ClientConfig {
  const { host, port, user, password, database } = postgres.target
  return { host, port, user, password, database }
}

async function record(name: string, use: (port: number) => Promise<unknown>): Promise<void> {
  const steps: Heard[] = []
  const note = (stream: Duplex, from: Heard['from']): void => {
    stream.on('data', (chunk: Buffer) => steps.push({ from, bytes: Buffer.from(chunk) }))
  }
  const door = await openDoor(postgres.target, {
    wrap: (client) => {
      note(client, 'client')
      return client
    },
    dial: async () => {
      const target = await dialTarget(postgres.target)
      note(target, 'target')
      const write = target.write.bind(target)
      // Everything that the inspector says is a Buffer, without encoding or callback.
      target.write = (chunk: Uint8Array | string) => {
        steps.push({ from: 'door', bytes: Buffer.from(chunk as Uint8Array) })
        return write(chunk)
      }
      return target
    },
  })
  door.people.rule = block('sql:delete')
  try {
    await use(door.port)
  } finally {
    await door.close()
  }
  conversations.push({ name, steps: steps.map(({ from, bytes }) => ({ from, data: bytes.toString('base64') })) })
}

async function drive(port: number): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'ada', database: 'orders-db' })
  await client.connect()
  await client.query('select id, name from customers order by id limit 2')
  const named = { name: 'by-id', text: 'select name, ssn from customers where id = $1' }
  await client.query({ ...named, values: [8] })
  await client.query({ ...named, values: [9] })
  await client.query({
    text: 'select ssn, id from customers where id = $1',
    values: [12],
    binary: true,
  } as pg.QueryConfig)
  await client.query('begin')
  await client.query('declare c cursor for select ssn from customers order by id')
  await client.query('fetch 2 from c')
  await client.query('commit')
  await client.query('select 1/0').catch(() => {})
  await client.query('update orders set note = $1 where id = $2', ['changed', 3])
  await client.end()
}

function wordsOf({ steps }: Recorded['conversations'][number]): string[] {
  const text = steps.map(({ from, data }) => (from === 'target' ? '' : Buffer.from(data, 'base64').toString('latin1')))
  return text.join(' ').match(/\w+/g) ?? []
}
