import { chmod, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { fileSecrets } from '../files.ts'
import { asked } from '../gateway/client.ts'
import { browse, machine, startGateway, type TestGateway } from '../testing/gateway.ts'
import { machineFrom, machineSignIn } from './machine.ts'
import { endSignIn, resumeSignIn, type SignedIn, startSignIn, stepUpSignIn } from './person.ts'
import { confirmed } from './step-up.ts'

let gateway: TestGateway
let dir: string
let ended = 0

beforeAll(async () => {
  gateway = await startGateway()
})
afterAll(() => gateway.close())
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-sign-in-'))
  ended = 0
})
afterEach(async () => {
  gateway.nonce = undefined
  gateway.person = { id: 'ada', mfa: false }
  await rm(dir, { recursive: true })
})

const options = () => ({
  clientId: 'sallyport-cli',
  secrets: fileSecrets(dir),
  onEnded: () => {
    ended += 1
  },
})

const start = (flow: 'browser' | 'device', signal?: AbortSignal): ReturnType<typeof startSignIn> =>
  startSignIn({ gateway: gateway.url, flow, ...options(), ...(signal === undefined ? {} : { signal }) })

async function signIn(): Promise<SignedIn> {
  const pending = await start('browser')
  const [who] = await Promise.all([pending.done, browse(pending.url)])
  return who
}

const resume = (): Promise<SignedIn | undefined> =>
  resumeSignIn(gateway.url, fileSecrets(dir), () => {
    ended += 1
  })

test('signs in with the browser, over PKCE, and tells the tab', async () => {
  const pending = await start('browser')
  const url = new URL(pending.url)
  expect(url.searchParams.get('code_challenge_method')).toBe('S256')
  expect(new URL(url.searchParams.get('redirect_uri') ?? '').hostname).toBe('127.0.0.1')
  const [who, page] = await Promise.all([pending.done, browse(pending.url)])
  expect(who.person).toMatchObject({ id: 'ada', groups: ['engineers'] })
  expect(who.info.name).toBe('Harborline')
  expect(page).toMatchObject({ status: 200 })
  expect(page.body).toContain('You are signed in')
})

test('keeps the sign-in in files for their owner alone, without an access token', async () => {
  await signIn()
  const [file = ''] = await readdir(dir)
  if (process.platform !== 'win32') expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600)
  const stored = JSON.parse(await readFile(join(dir, file), 'utf8'))
  expect(Object.keys(stored).sort()).toEqual(['clientId', 'info', 'key', 'person', 'refreshToken'])
})

test('goes on with a stored sign-in, rotating its refresh token once for all that ask', async () => {
  await signIn()
  const before = await readdir(dir).then(([file = '']) => readFile(join(dir, file), 'utf8'))
  const who = await resume()
  expect(who?.person.id).toBe('ada')
  await Promise.all([asked(who?.api.me() ?? Promise.reject()), asked(who?.api.me() ?? Promise.reject())])
  const after = await readdir(dir).then(([file = '']) => readFile(join(dir, file), 'utf8'))
  expect(JSON.parse(after).refreshToken).not.toBe(JSON.parse(before).refreshToken)
  // A second process that comes at the same time does not use up the first one's token.
  const [one, two] = await Promise.all([resume(), resume()])
  await Promise.all([asked(one?.api.me() ?? Promise.reject()), asked(two?.api.me() ?? Promise.reject())])
  expect(ended).toBe(0)
})

test('an answer with another state is turned away, and the right one still counts', async () => {
  const pending = await start('browser')
  const redirect = new URL(pending.url).searchParams.get('redirect_uri') ?? ''
  const wrong = await fetch(`${redirect}?code=stolen&state=other`)
  expect(wrong.status).toBe(400)
  expect(await wrong.text()).toContain('Nothing was signed in')
  expect((await fetch(new URL('/', redirect))).status).toBe(404)
  await browse(pending.url)
  expect((await pending.done).person.id).toBe('ada')
  // Who looks at the tab again reads that it is over, and nothing is exchanged twice.
  const again = await fetch(`${redirect}?code=stolen&state=${new URL(pending.url).searchParams.get('state')}`)
  expect(again.status).toBe(400)
  expect(await again.text()).toContain('This sign-in is over')
})

test('a wrong nonce ends the sign-in', async () => {
  const pending = await start('browser')
  const url = new URL(pending.url)
  url.searchParams.set('nonce', 'replayed')
  const failed = expect(pending.done).rejects.toMatchObject({ problem: { code: 'sign-in-failed' } })
  const page = await browse(url.href)
  await failed
  expect(page.body).toContain('Not signed in')
})

test.each([
  [
    'the gateway’s own sentence, as it is',
    'idp.example did not sign you in. Ask the IT desk.',
    /^idp\.example did not/,
  ],
  ['a fragment', 'declined', /^The sign-in was refused: declined\.$/],
])('a refusal arrives in words: %s', async (_what, description, message) => {
  const pending = await start('browser')
  const url = new URL(pending.url)
  const failed = expect(pending.done).rejects.toMatchObject({
    problem: { code: 'sign-in-failed', action: 'sign-in', message: expect.stringMatching(message) },
  })
  const answer = new URL(url.searchParams.get('redirect_uri') ?? '')
  answer.searchParams.set('state', url.searchParams.get('state') ?? '')
  answer.searchParams.set('iss', `${gateway.url}/oauth`)
  answer.searchParams.set('error', 'access_denied')
  answer.searchParams.set('error_description', description)
  await fetch(answer)
  await failed
})

test('can be cancelled', async () => {
  const abort = new AbortController()
  const pending = await start('browser', abort.signal)
  abort.abort()
  await expect(pending.done).rejects.toMatchObject({ problem: { message: 'The sign-in was cancelled.' } })
})

test('signs in with a code on another machine', async () => {
  const pending = await start('device')
  expect(pending.code).toMatch(/\S{4,}/)
  await browse(pending.url)
  expect((await pending.done).person.id).toBe('ada')
})

test('errors of the gateway arrive in its words', async () => {
  const who = await signIn()
  await expect(asked(who.api.connections.get({ name: 'nowhere' }))).rejects.toMatchObject({
    problem: { code: 'not-found', message: 'There is no /api/v1/connections/nowhere.' },
  })
})

test('proofs carry the nonce that the gateway asks for', async () => {
  const who = await signIn()
  gateway.nonce = 'first'
  const before = gateway.calls
  await asked(who.api.me())
  gateway.nonce = 'second'
  await asked(who.api.me())
  expect(gateway.calls).toBe(before + 2)
})

test('a sign-in that was revoked is said, once, and its secrets are gone', async () => {
  const who = await signIn()
  await gateway.revokeAll()
  await expect(asked(who.api.me())).rejects.toMatchObject({ problem: { code: 'not-signed-in', action: 'sign-in' } })
  expect(ended).toBe(1)
  expect(await resume()).toBeUndefined()
})

test('signing out revokes the refresh token', async () => {
  await signIn()
  const [file = ''] = await readdir(dir)
  const { refreshToken } = JSON.parse(await readFile(join(dir, file), 'utf8'))
  expect(await endSignIn(gateway.url, fileSecrets(dir))).toEqual({ told: true })
  expect(await gateway.provider.RefreshToken.find(refreshToken)).toBeUndefined()
  expect(await resume()).toBeUndefined()
})

test('a better sign-in takes the place of the one before, which goes on until both are signed out', async () => {
  const who = await signIn()
  const [file = ''] = await readdir(dir)
  const stored = async () => JSON.parse(await readFile(join(dir, file), 'utf8'))
  const before = await stored()
  const lacks: unknown[] = []
  let walked = new URLSearchParams()
  const calls = gateway.calls
  const approved = confirmed(
    () => who.api.requests.approve({ id: 'r1', reason: '' }),
    async (lack) => {
      lacks.push(lack)
      gateway.person = { id: 'ada', mfa: true }
      const pending = await stepUpSignIn({ ...options(), who, lack: lack.stepUp })
      walked = new URL(pending.url).searchParams
      await Promise.all([pending.done, browse(pending.url)])
    },
  )
  // This gateway of a test has no such request; it lets it through.
  await expect(approved).rejects.toMatchObject({ problem: { code: 'not-found' } })
  expect(lacks).toEqual([
    { stepUp: { maxAgeSeconds: 900 }, message: 'writes: This takes a sign-in with a second factor.' },
  ])
  // Asked once: a fresher token of the same sign-in would be no better.
  expect(gateway.calls).toBe(calls + 2)
  expect(Object.fromEntries(walked)).toMatchObject({
    acr_values: 'mfa',
    max_age: '900',
    login_hint: 'ada',
    prompt: 'login',
  })
  const after = await stored()
  expect(after.earlier).toEqual([before.refreshToken])
  expect(after.refreshToken).not.toBe(before.refreshToken)
  expect(await gateway.provider.RefreshToken.find(before.refreshToken)).toBeDefined()
  await endSignIn(gateway.url, fileSecrets(dir))
  for (const token of [before.refreshToken, after.refreshToken]) {
    expect(await gateway.provider.RefreshToken.find(token)).toBeUndefined()
  }
})

test.each([
  ['somebody else', { id: 'grace', mfa: true }, /signed in as ada, and confirmed as grace/],
  ['the same without a second factor', { id: 'ada', mfa: false }, /did not ask for a second factor/],
])('%s changes nothing', async (_, person, words) => {
  const who = await signIn()
  const [file = ''] = await readdir(dir)
  const before = await readFile(join(dir, file), 'utf8')
  gateway.person = person
  const pending = await stepUpSignIn({ ...options(), who, lack: {} })
  const failed = expect(pending.done).rejects.toMatchObject({ problem: { message: expect.stringMatching(words) } })
  await Promise.all([failed, browse(pending.url)])
  expect(await readFile(join(dir, file), 'utf8')).toBe(before)
})

test('who signs out while they confirm stays signed out', async () => {
  const who = await signIn()
  gateway.person = { id: 'ada', mfa: true }
  const pending = await stepUpSignIn({ ...options(), who, lack: {} })
  await endSignIn(gateway.url, fileSecrets(dir))
  const failed = expect(pending.done).rejects.toMatchObject({
    problem: { code: 'sign-in-failed', message: 'ada was signed out meanwhile, and stays so.' },
  })
  await Promise.all([failed, browse(pending.url)])
  expect(await resume()).toBeUndefined()
})

test('a sign-in that is given up at its very end is not kept', async () => {
  const abort = new AbortController()
  const secrets = fileSecrets(dir)
  const pending = await startSignIn({
    ...options(),
    gateway: gateway.url,
    flow: 'browser',
    signal: abort.signal,
    secrets: {
      ...secrets,
      exclusive: (_, work) => {
        abort.abort()
        return work()
      },
    },
  })
  const failed = expect(pending.done).rejects.toMatchObject({ problem: { code: 'sign-in-failed' } })
  await Promise.all([failed, browse(pending.url)])
  expect(await resume()).toBeUndefined()
})

test('a job signs in with its secret, or is told what is wrong', async () => {
  const env = {
    SALLYPORT_GATEWAY: gateway.url,
    SALLYPORT_CLIENT_ID: machine.clientId,
    SALLYPORT_CLIENT_SECRET: machine.clientSecret,
  }
  const identity = machineFrom(env)
  expect(identity).toBeDefined()
  if (identity === undefined) return
  const { api } = await machineSignIn(identity)
  expect((await asked(api.me())).principal.id).toBe('ada')
  await expect(machineSignIn({ ...identity, clientSecret: 'guess' })).rejects.toMatchObject({
    problem: { code: 'sign-in-failed' },
  })
  await expect(machineSignIn({ gateway: gateway.url, clientId: 'job', idToken: 'x' })).rejects.toMatchObject({
    problem: { message: expect.stringContaining('does not exchange ID tokens') },
  })
  expect(machineFrom({})).toBeUndefined()
  expect(() => machineFrom({ SALLYPORT_CLIENT_SECRET: 'x' })).toThrow('SALLYPORT_GATEWAY')
  expect(() => machineFrom({ SALLYPORT_CLIENT_ID: 'x' })).toThrow('SALLYPORT_CLIENT_SECRET is not')
})

test('a file that others can read is refused', async () => {
  if (process.platform === 'win32') return
  await signIn()
  const [file = ''] = await readdir(dir)
  await chmod(join(dir, file), 0o644)
  await expect(resume()).rejects.toThrow('can be read by other users')
})
