import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError, GatewayConfig, readConfig } from './config.ts'

const good = `name: Harborline
listen: { host: 127.0.0.1, port: 8443 }
dataDir: data
policyDir: policies
upstream:
  issuer: https://id.harborline.example
  clientId: sallyport
  clientSecretFile: upstream.secret
machines:
  - clientId: deploy
    clientSecretEnv: DEPLOY_SECRET
    name: Deploy job
    groups: [engineers]
connections:
  - name: orders-db
    kind: postgres
    environment: production
    target:
      kind: postgres
      host: 10.0.0.5
      database: orders
      user: sallyport
      passwordEnv: ORDERS_PASSWORD
      tls: { mode: require }
`
const env = { DEPLOY_SECRET: 'a-secret-that-is-long', ORDERS_PASSWORD: 'pw' }

async function write(yaml: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sallyport-config-'))
  await writeFile(join(dir, 'upstream.secret'), 'upstream-secret\n')
  const file = join(dir, 'gateway.yaml')
  await writeFile(file, yaml)
  return file
}

async function problemsOf(yaml: string): Promise<string[]> {
  const error: unknown = await readConfig(await write(yaml), env).catch((thrown: unknown) => thrown)
  if (!(error instanceof ConfigError)) throw new Error(`expected a ConfigError, got ${String(error)}`)
  return error.problems.map(({ line, reason }) => `${line}: ${reason}`)
}

describe('readConfig', () => {
  test('resolves secrets from files and the environment, and paths from the file', async () => {
    const file = await write(good)
    const config = await readConfig(file, env)
    expect(config.upstream.clientSecret).toBe('upstream-secret')
    expect(config.machines[0]?.clientSecret).toBe(env.DEPLOY_SECRET)
    expect(config.connections[0]?.target).toMatchObject({ password: 'pw', port: 5432 })
    expect(config.policyDir).toBe(file.replace('gateway.yaml', 'policies'))
    expect(config.store).toEqual({ kind: 'embedded' })
  })

  test.each([
    ['an unknown key, with its line', good.replace('dataDir: data', 'dataDri: data'), /^3: dataDri: there is no such/],
    ['a missing variable', good.replace('DEPLOY_SECRET', 'NOT_SET'), /^11: .*NOT_SET is not set/],
    ['a missing file', good.replace('upstream.secret', 'gone.secret'), /^8: .*gone\.secret can't be read/],
    [
      'a secret given twice',
      good.replace('    name: Deploy', '    clientSecret: x\n    name: Deploy'),
      /^11: .*as well/,
    ],
    ['plain HTTP to other machines', good.replace('127.0.0.1', '0.0.0.0'), /^2: listen\.host: .*tls is required/],
    ['a plain public URL', `${good}publicUrl: http://gate.example\n`, /^25: publicUrl: .*https/],
    ['a plain sign-in provider', good.replace('https://id', 'http://id'), /^6: upstream\.issuer: .*https/],
    ['a wrong type in a list', good.replace('production', 'prod'), /^17: connections\.0\.environment/],
    [
      'a missing value, at what is around it',
      good.replace('      database: orders\n', ''),
      /^18: connections\.0\.target\.database: is missing$/,
    ],
    [
      'a missing secret, and how to give it',
      good.replace('      passwordEnv: ORDERS_PASSWORD\n', ''),
      /^18: connections\.0\.target\.password: is missing\. Give password, passwordFile or passwordEnv$/,
    ],
    [
      'a store that other machines on the way can read',
      `${good}store: { kind: url, url: 'postgres://u:hunter2@10.0.0.9/s' }\n`,
      /^25: store\.url: .*sslmode=verify-full/,
    ],
    [
      'a store that is not asked who it is',
      `${good}store: { kind: url, url: 'postgres://u:hunter2@10.0.0.9/s?sslmode=no-verify' }\n`,
      /^25: store\.url: .*sslmode=verify-full/,
    ],
    [
      'a store behind another host in the address',
      `${good}store: { kind: url, url: 'postgres://u:hunter2@127.0.0.1/s?host=10.0.0.9' }\n`,
      /^25: store\.url: .*sslmode=verify-full/,
    ],
    [
      'a CA file of the store that can not be read',
      `${good}store: { kind: url, url: 'postgres://u:hunter2@h/s?sslmode=verify-full&sslrootcert=/gone.pem' }\n`,
      /^25: store\.url: .*\/gone\.pem/,
    ],
    ['broken YAML', good.replace('groups: [engineers]', 'groups: [engineers'), /not valid YAML/],
    [
      'a short machine secret',
      good.replace('clientSecretEnv: DEPLOY_SECRET', 'clientSecret: short'),
      /^11: .*16 characters/,
    ],
    ['a taken machine id', good.replace('clientId: deploy', 'clientId: sallyport-cli'), /^10: .*already taken/],
  ])('names %s', async (_what, yaml, expected) => {
    expect((await problemsOf(yaml)).join('\n')).toMatch(new RegExp(expected.source, 'm'))
  })

  test.each([
    'postgres://u:p@127.0.0.1/s',
    'postgres://u:p@localhost:5433/s?application_name=x',
    'postgres://u:p@10.0.0.9/s?sslmode=verify-full',
    'postgres://u:p@localhost/s?host=/var/run/postgresql',
  ])('takes the store at %s', async (url) => {
    expect((await readConfig(await write(`${good}store: { kind: url, url: '${url}' }\n`), env)).store).toEqual({
      kind: 'url',
      url,
    })
  })

  test('never repeats a secret in a message', async () => {
    const problems = await problemsOf(good.replace('clientSecretEnv: DEPLOY_SECRET', 'clientSecret: hunter2'))
    expect(problems.join('\n')).not.toContain('hunter2')
  })
})

test('an SSH target without host keys is refused: an unknown host is never dialled', () => {
  const result = GatewayConfig.shape.connections.element.safeParse({
    name: 'web-1',
    kind: 'ssh',
    environment: 'production',
    target: { kind: 'ssh', host: 'h', user: 'u', privateKey: 'k', hostKeys: [] },
  })
  expect(result.error?.issues[0]?.message).toMatch(/at least one host key/)
})
