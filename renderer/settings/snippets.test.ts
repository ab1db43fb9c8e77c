import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { Endpoint } from '../../shared/rpc/contract.ts'
import { briefOf, snippetsOf } from './snippets.ts'

const endpoint: Endpoint = {
  connection: 'orders-db',
  kind: 'postgres',
  host: '127.0.0.1',
  port: 15432,
  user: 'ada',
  database: 'orders',
  open: true,
  clients: 0,
  atStart: false,
}

const text = (change: Partial<Endpoint>, tool: string): string => {
  const found = snippetsOf({ ...endpoint, ...change }, 'linux').find((snippet) => snippet.tool === tool)
  if (found === undefined) throw new Error(`no snippet for ${tool}`)
  return found.text
}

test('PostgreSQL: each tool in its own words', () => {
  expect(text({}, 'psql')).toBe('psql -h 127.0.0.1 -p 15432 -U ada orders')
  expect(text({}, 'JDBC')).toBe('jdbc:postgresql://127.0.0.1:15432/orders?sslmode=disable&user=ada')
  expect(text({}, 'URI')).toBe('postgresql://ada@127.0.0.1:15432/orders?sslmode=disable')
  expect(text({}, 'DBeaver')).toContain('driver=postgresql|name=orders-db (Sallyport)|host=127.0.0.1|port=15432|')
  expect(text({}, 'DataGrip')).toMatch(/^#DataSourceSettings#\n#LocalDataSource: .*\n#BEGIN#\n<data-source .*\n#END#$/)
})

test('SSH: a host of its own, so that keys of two endpoints are not taken for one', () => {
  expect(text({ kind: 'ssh', port: 12022 }, 'ssh')).toBe('ssh -p 12022 ada@127.0.0.1')
  expect(text({ kind: 'ssh', port: 12022, connection: 'web-1' }, '~/.ssh/config')).toBe(
    'Host web-1\n  HostName 127.0.0.1\n  Port 12022\n  User ada\n  HostKeyAlias sallyport-web-1',
  )
})

test('no name can break out of a command, an address or a file', () => {
  const user = `a"; echo 'x' $(id) & <b>`
  const words = (command: string) =>
    execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
  expect(words(text({ user }, 'psql'))).toEqual(['psql', '-h', '127.0.0.1', '-p', '15432', '-U', user, 'orders'])
  expect(words(text({ user, kind: 'ssh' }, 'ssh'))).toEqual(['ssh', '-p', '15432', `${user}@127.0.0.1`])
  expect(new URL(text({ user }, 'URI')).username).toBe(encodeURIComponent(user))
  expect(text({ user }, 'DataGrip')).not.toContain('<b>')
})

test('every kind has something to paste, and it names the port', () => {
  for (const kind of ['postgres', 'ssh', 'rdp', 'kubernetes', 'http', 'something-new']) {
    const all = snippetsOf({ ...endpoint, kind }, 'linux')
    expect(all.length).toBeGreaterThan(0)
    for (const snippet of all) expect(snippet.text).toContain('15432')
  }
})

test('a desktop: the programs of the system that this runs on', () => {
  const desktop = { ...endpoint, kind: 'rdp' }
  const first = (os: 'mac' | 'windows' | 'linux') => [briefOf(desktop, os), snippetsOf(desktop, os)[0]?.tool]
  expect(first('linux')).toEqual(['FreeRDP, Remmina', 'FreeRDP'])
  expect(first('windows')).toEqual(['mstsc', 'mstsc'])
  expect(first('mac')).toEqual(['Windows App', '.rdp file'])
})
