import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Me } from '../../shared/api/models.ts'
import { ProblemDocument } from '../../shared/api/problem.ts'
import { Browser, jsonOf, newClientKey, newPkce } from '../testing/client.ts'
import {
  authorize,
  call,
  machine,
  redirect,
  signIn,
  startTestDoor,
  type TestDoor,
  tokenRequest,
} from '../testing/door.ts'
import { quiet } from '../testing/store.ts'

const DeviceAuthorization = z.object({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  verification_uri_complete: z.string(),
})

let door: TestDoor

beforeAll(async () => {
  door = await startTestDoor()
})
afterAll(() => door?.close())

const linus = { sub: 'u-1', preferred_username: 'linus', name: 'Linus', groups: ['engineers', 'on-call'] }
const grace = { sub: 'u-2', preferred_username: 'grace', name: 'Grace', groups: ['dba'] }

beforeEach(() => {
  door.upstream.person = linus
  door.upstream.nonce = undefined
  door.audited.length = 0
  door.ended.length = 0
})

describe('signing in with the browser', () => {
  test('code, PKCE and DPoP lead to a token that says who it is', async () => {
    const key = await newClientKey()
    const tokens = await signIn(door, key)
    expect(tokens).toMatchObject({ token_type: 'DPoP', expires_in: 600 })
    const response = await call(door, key, tokens.access_token)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      principal: { kind: 'user', id: 'linus', name: 'Linus', groups: ['engineers', 'on-call'] },
      gateway: { name: 'false' },
    })
    expect(door.audited).toContainEqual(expect.objectContaining({ actor: 'linus', action: 'sign-in' }))
  })

  test('a second factor upstream is known as such', async () => {
    door.upstream.person = { ...linus, amr: ['pwd', 'otp'] }
    const key = await newClientKey()
    const { access_token } = await signIn(door, key)
    expect(await (await call(door, key, access_token)).json()).toMatchObject({ gateway: { name: 'true' } })
  })

  test('a second factor and a fresh sign-in that a client wants are asked for upstream, and known by its answer', async () => {
    const wish = { acr_values: 'mfa', max_age: '900', login_hint: 'linus' }
    door.upstream.person = { ...linus, acr: 'urn:test:mfa' }
    const key = await newClientKey()
    const { access_token } = await signIn(door, key, new Browser(), wish)
    expect(Object.fromEntries(door.upstream.asked)).toMatchObject({ ...wish, acr_values: 'urn:test:mfa' })
    const me = Me.parse(await (await call(door, key, access_token)).json())
    expect(me).toMatchObject({ mfa: true, principal: { id: 'linus' } })
    expect(Math.abs(Date.parse(me.signedInAt ?? '') - Date.now())).toBeLessThan(30_000)
  })

  test('what takes a better sign-in says so, as a problem and as RFC 9470 does', async () => {
    const key = await newClientKey()
    const { access_token } = await signIn(door, key)
    const response = await call(door, key, access_token, '/api/v1/policies')
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      'DPoP error="insufficient_user_authentication", acr_values="mfa", max_age="900"',
    )
    expect(ProblemDocument.parse(await response.json())).toMatchObject({
      code: 'STEP_UP',
      title: 'Sign in again',
      detail: expect.stringMatching(/^audit-mfa: /),
      stepUp: { maxAgeSeconds: 900 },
    })
  })

  test('an old sign-in upstream makes no fresh one here: refused where one is wanted, and known as old', async () => {
    const hourAgo = Math.floor(Date.now() / 1000) - 3600
    door.upstream.person = { ...linus, acr: 'urn:test:mfa', signedInAt: hourAgo }
    const { answer } = await authorize(door, new Browser(), { max_age: '900' })
    expect(answer.searchParams.get('code')).toBeNull()
    expect(answer.searchParams.get('error')).toBe('access_denied')
    expect(answer.searchParams.get('error_description')).toMatch(
      /an earlier sign-in of yours, and a fresh one is wanted/,
    )
    const key = await newClientKey()
    const { access_token } = await signIn(door, key, new Browser(), { max_age: '7200' })
    const me = Me.parse(await (await call(door, key, access_token)).json())
    expect(me.signedInAt).toBe(new Date(hourAgo * 1000).toISOString())
  })

  test('where the provider does not say when, nobody is taken for freshly signed in, also after a refresh', async () => {
    const key = await newClientKey()
    const tokens = await signIn(door, key)
    expect(await (await call(door, key, tokens.access_token)).json()).not.toHaveProperty('signedInAt')
    const { refresh_token } = tokens
    const again = { grant_type: 'refresh_token', client_id: 'sallyport-desktop', refresh_token }
    const { body } = await tokenRequest(door, again, key)
    expect(await (await call(door, key, body.access_token)).json()).not.toHaveProperty('signedInAt')
  })

  test('name and groups follow the provider at each sign-in; the account keeps its login name', async () => {
    door.upstream.person = {
      ...linus,
      preferred_username: 'root',
      name: ' Linus\u001b\n T.\u202e',
      groups: ['engineers'],
    }
    const key = await newClientKey()
    const { access_token } = await signIn(door, key)
    const me = await (await call(door, key, access_token)).json()
    // Sessions that began with other groups are looked at.
    await expect.poll(() => door.reviews.length).toBeGreaterThan(0)
    expect(me).toMatchObject({ principal: { id: 'linus', name: 'Linus␛ T.', groups: ['engineers'] } })
  })

  test('the same browser can sign in as someone else at once', async () => {
    const browser = new Browser()
    const key = await newClientKey()
    await signIn(door, key, browser)
    door.upstream.person = grace
    // Signed out at the provider, not here.
    browser.cookies.delete('_session')
    const { access_token } = await signIn(door, key, browser)
    expect(await (await call(door, key, access_token)).json()).toMatchObject({ principal: { id: 'grace' } })
  })

  test('another account never becomes a known login name', async () => {
    await signIn(door, await newClientKey())
    door.upstream.person = { ...grace, sub: 'u-evil', preferred_username: 'linus' }
    const { answer } = await authorize(door, new Browser())
    expect(answer.searchParams.get('error')).toBe('access_denied')
    expect(answer.searchParams.get('error_description')).toMatch(/login name linus belongs to another account/)
  })

  test.each([
    ['a machine’s id', { ...grace, sub: 'u-3', preferred_username: machine.clientId }, /belongs to another account/],
    ['a name that is none', { ...grace, sub: 'u-4', preferred_username: '../etc' }, /cannot be used here/],
    ['no login name at all', { sub: 'u-5', name: 'Nobody' }, /did not send a login name/],
  ])('%s is refused in words', async (_what, person, words) => {
    door.upstream.person = person
    const { answer } = await authorize(door, new Browser())
    expect(answer.searchParams.get('error_description')).toMatch(words)
  })

  test('a no from the provider reaches the client', async () => {
    door.upstream.person = undefined
    const { answer } = await authorize(door, new Browser())
    expect(answer.searchParams.get('error')).toBe('access_denied')
    expect(answer.searchParams.get('error_description')).toMatch(/not assigned to this application\. .*ask the IT desk/)
    expect(answer.searchParams.get('state')).toBe('state-of-the-client')
  })

  test('any loopback port and the app’s own scheme are redirected to; nothing else is', async () => {
    const { answer } = await authorize(door, new Browser(), { redirect_uri: 'sallyport://callback' })
    expect(answer.protocol).toBe('sallyport:')
    expect(answer.searchParams.get('code')).toBeTruthy()
    for (const redirect_uri of [
      'http://127.0.0.1:4711/elsewhere',
      'https://evil.example/callback',
      'sallyport://other',
    ]) {
      await expect(authorize(door, new Browser(), { redirect_uri })).rejects.toThrow(/stuck.*400/)
    }
  })

  test('without PKCE there is no code', async () => {
    const { answer } = await authorize(door, new Browser(), { code_challenge: '', code_challenge_method: '' })
    expect(answer.searchParams.get('error')).toBe('invalid_request')
  })

  test('a wrong verifier, a second use and a missing proof get no token', async () => {
    const key = await newClientKey()
    const { answer, verifier } = await authorize(door, new Browser())
    const request = (more: Record<string, string>) => ({
      grant_type: 'authorization_code',
      client_id: 'sallyport-desktop',
      code: answer.searchParams.get('code') ?? '',
      redirect_uri: redirect,
      code_verifier: verifier,
      ...more,
    })
    expect((await tokenRequest(door, request({ code_verifier: 'x'.repeat(43) }), key)).body.error).toBe('invalid_grant')
    expect((await tokenRequest(door, request({}))).body.error).toMatch(/invalid_/)
    const first = await tokenRequest(door, request({}), key)
    expect(first.status).toBe(200)
    expect((await tokenRequest(door, request({}), key)).body.error).toBe('invalid_grant')
    // What the code gave before is taken back: it was stolen from one of the two.
    expect((await call(door, key, first.body.access_token)).status).toBe(401)
  })

  test('two at once with one code: one gets tokens', async () => {
    const key = await newClientKey()
    const { answer, verifier } = await authorize(door, new Browser())
    const request = {
      grant_type: 'authorization_code',
      client_id: 'sallyport-desktop',
      code: answer.searchParams.get('code') ?? '',
      redirect_uri: redirect,
      code_verifier: verifier,
    }
    const all = await Promise.all([1, 2, 3, 4].map(() => tokenRequest(door, request, key)))
    expect(all.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
  })
})

describe('an answer that is not the one waited for', () => {
  const toCallback = async (browser: Browser) => {
    const { challenge } = newPkce()
    const start = new URL(`${door.url}/oauth/auth`)
    start.search = new URLSearchParams({
      client_id: 'sallyport-desktop',
      redirect_uri: redirect,
      response_type: 'code',
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    }).toString()
    return (await browser.follow(start.href, (next) => next.pathname !== '/oauth/callback')).url
  }

  test('a wrong state gets a page that says what to do, and nobody in', async () => {
    const browser = new Browser()
    const callback = new URL(await toCallback(browser))
    callback.searchParams.set('state', 'forged')
    const response = await browser.request(callback.href)
    expect(response.status).toBe(400)
    expect(response.headers.get('content-security-policy')).toMatch(/default-src 'none'/)
    const page = await response.text()
    expect(page).toMatch(/Nobody was signed in\. Go back to Sallyport and sign in again\./)
    expect(page).not.toMatch(/<script/)
  })

  test('a right state in another browser does not sign that browser in', async () => {
    const callback = await toCallback(new Browser())
    expect((await new Browser().request(callback)).status).toBe(400)
  })

  test('a wrong nonce is not believed', async () => {
    const browser = new Browser()
    door.upstream.nonce = 'forged'
    const callback = await toCallback(browser)
    const response = await browser.request(callback)
    expect(response.status).toBe(400)
    expect(await response.text()).toMatch(/could not be verified/)
  })

  test('an answer is used once', async () => {
    const browser = new Browser()
    const callback = await toCallback(browser)
    expect((await browser.request(callback)).status).toBe(303)
    expect((await browser.request(callback)).status).toBe(400)
  })
})

describe('staying signed in', () => {
  const refresh = (refresh_token: string) => ({
    grant_type: 'refresh_token',
    client_id: 'sallyport-desktop',
    refresh_token,
  })

  test('each refresh gives a new refresh token; using an old one ends the sign-in', async () => {
    const key = await newClientKey()
    const first = await signIn(door, key)
    const second = await tokenRequest(door, refresh(first.refresh_token), key)
    expect(second.status).toBe(200)
    expect(second.body.refresh_token).not.toBe(first.refresh_token)
    expect((await call(door, key, second.body.access_token)).status).toBe(200)

    expect((await tokenRequest(door, refresh(first.refresh_token), key)).body.error).toBe('invalid_grant')
    expect((await call(door, key, second.body.access_token)).status).toBe(401)
    expect((await tokenRequest(door, refresh(second.body.refresh_token), key)).body.error).toBe('invalid_grant')
    await expect.poll(() => door.ended).toContainEqual({ accessTokenId: expect.any(String) })
  })

  test('a refresh token is of no use with another key', async () => {
    const tokens = await signIn(door, await newClientKey())
    const stolen = await tokenRequest(door, refresh(tokens.refresh_token), await newClientKey())
    expect(stolen.body.error).toBe('invalid_grant')
  })

  test('refreshing does not move the end of the sign-in', async () => {
    const key = await newClientKey()
    const first = await signIn(door, key)
    const ends = async (token: string) => (await jsonOf(await call(door, key, token), Me)).signInEndsAt
    const second = await tokenRequest(door, refresh(first.refresh_token), key)
    const [before, after] = await Promise.all([ends(first.access_token), ends(second.body.access_token)])
    expect(Math.abs(Date.parse(after) - Date.parse(before))).toBeLessThan(3000)
  })

  test('signing out ends tokens and sessions of this sign-in, and of no other', async () => {
    const key = await newClientKey()
    const [mine, other] = [await signIn(door, key), await signIn(door, key)]
    const signIns = async () => {
      const { db } = door.store.store
      return (await db.selectFrom('oidc_payloads').select('id_hash').where('model', '=', 'Grant').execute()).map(
        (row) => row.id_hash,
      )
    }
    const before = await signIns()
    const response = await fetch(`${door.url}/oauth/token/revocation`, {
      method: 'POST',
      body: new URLSearchParams({ token: mine.refresh_token, client_id: 'sallyport-desktop' }),
    })
    expect(response.status).toBe(200)
    expect((await call(door, key, mine.access_token)).status).toBe(401)
    expect((await call(door, key, other.access_token)).status).toBe(200)
    await expect.poll(() => door.ended.length).toBe(1)
    // By the name that the store has it under: `Standing` looks for it there.
    const [ended] = door.ended
    const name = ended !== undefined && 'accessTokenId' in ended ? ended.accessTokenId : ''
    expect(before).toContain(name)
    expect(await signIns()).toEqual(before.filter((each) => each !== name))
    expect(door.audited).toContainEqual(expect.objectContaining({ action: 'sign-out', actor: 'linus' }))
  })

  test('an off-boarded person is out at once and stays out', async () => {
    door.upstream.person = { sub: 'u-9', preferred_username: 'leaver', groups: [] }
    const key = await newClientKey()
    const tokens = await signIn(door, key)
    expect(await door.identity.offboard('leaver', 'grace')).toBe(true)
    expect((await call(door, key, tokens.access_token)).status).toBe(401)
    expect((await tokenRequest(door, refresh(tokens.refresh_token), key)).body.error).toBe('invalid_grant')
    expect(door.ended).toContainEqual({ principalId: 'leaver' })
    expect(door.takenBack).toEqual(['leaver by grace'])
    const { answer } = await authorize(door, new Browser())
    expect(answer.searchParams.get('error_description')).toMatch(/turned off/)
    expect(await door.identity.offboard('leaver', 'grace')).toBe(false)
  })

  test('an off-boarded person who is let in again signs in anew; what had ended stays ended', async () => {
    door.upstream.person = { sub: 'u-10', preferred_username: 'returner', groups: [] }
    const key = await newClientKey()
    const before = await signIn(door, key)
    expect(await door.identity.reinstate('returner', 'grace')).toBe(false)
    await door.identity.offboard('returner', 'grace')
    expect(await door.identity.reinstate('returner', 'grace')).toBe(true)
    expect(door.audited).toContainEqual(
      expect.objectContaining({ action: 'identity-enabled', actor: 'grace', subject: 'returner' }),
    )
    expect(door.audited.filter(({ action }) => action === 'identity-enabled')).toHaveLength(1)
    expect((await tokenRequest(door, refresh(before.refresh_token), key)).body.error).toBe('invalid_grant')
    const after = await signIn(door, key)
    expect((await call(door, key, after.access_token)).status).toBe(200)
  })

  test('a machine is turned off in the configuration, not here', async () => {
    expect(await door.identity.offboard('deploy', 'grace')).toBe(false)
  })
})

describe('the device flow', () => {
  const start = async () => {
    const response = await fetch(`${door.url}/oauth/device/auth`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'sallyport-cli', scope: 'openid profile offline_access' }),
    })
    expect(response.status).toBe(200)
    return jsonOf(response, DeviceAuthorization)
  }
  const redeem = async (device_code: string, key: Awaited<ReturnType<typeof newClientKey>>) =>
    tokenRequest(
      door,
      { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', client_id: 'sallyport-cli', device_code },
      key,
    )
  const field = (html: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
  const submit = (browser: Browser, page: string, more: Record<string, string>) =>
    browser.request(`${door.url}/oauth/device`, {
      method: 'POST',
      body: new URLSearchParams({ xsrf: field(page, 'xsrf'), user_code: field(page, 'user_code'), ...more }),
    })

  test('a code, compared by a person, signs the device in', async () => {
    const key = await newClientKey()
    const device = await start()
    expect(new URL(device.verification_uri).origin).toBe(door.url)
    expect((await redeem(device.device_code, key)).body.error).toBe('authorization_pending')

    const browser = new Browser()
    const ask = await (await browser.request(device.verification_uri_complete)).text()
    expect(field(ask, 'user_code')).toBe(device.user_code)
    const confirm = await (await submit(browser, ask, {})).text()
    expect(confirm).toContain('Sallyport command line at 127.0.0.1 asks to sign in as you')
    expect(confirm).not.toMatch(/<script|onfocus/)
    const go = await submit(browser, confirm, { confirm: 'yes' })
    const { response } = await browser.follow(new URL(go.headers.get('location') ?? '', door.url).href)
    expect(await response.text()).toContain('You can return to Sallyport')

    const { status, body } = await redeem(device.device_code, key)
    expect(status).toBe(200)
    expect(body.refresh_token).toBeTruthy()
    expect((await call(door, key, body.access_token)).status).toBe(200)
  })

  test('a wrong code is said to be one, and a stopped one tells the device', async () => {
    const key = await newClientKey()
    const device = await start()
    const browser = new Browser()
    const ask = await (await browser.request(device.verification_uri_complete)).text()
    const wrong = await (await submit(browser, ask, { user_code: 'AAAA-AAAA' })).text()
    expect(wrong).toContain('There is no such code')
    const confirm = await (await submit(browser, wrong, { user_code: device.user_code })).text()
    const stopped = await (await submit(browser, confirm, { confirm: 'yes', abort: 'yes' })).text()
    expect(stopped).toContain('Nobody was signed in')
    expect((await redeem(device.device_code, key)).body.error).toBe('access_denied')
  })

  test('a form from elsewhere is refused', async () => {
    const device = await start()
    const response = await submit(new Browser(), '', { user_code: device.user_code, xsrf: 'guess', confirm: 'yes' })
    expect(await response.text()).not.toContain('return to Sallyport')
  })
})

describe('machines', () => {
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
  })

  test.each(['basic', 'post'])('sign in with a secret by %s and call with a Bearer token', async (how) => {
    const { status, body } = await (how === 'basic'
      ? tokenRequest(
          door,
          { grant_type: 'client_credentials' },
          undefined,
          basic(machine.clientId, machine.clientSecret),
        )
      : tokenRequest(door, {
          grant_type: 'client_credentials',
          client_id: machine.clientId,
          client_secret: machine.clientSecret,
        }))
    expect(status).toBe(200)
    const response = await fetch(`${door.url}/api/v1/me`, { headers: { authorization: `Bearer ${body.access_token}` } })
    expect(await response.json()).toMatchObject({ principal: { kind: 'machine', id: 'deploy', groups: ['engineers'] } })
  })

  test('a token that a machine bound to a key needs the key', async () => {
    const key = await newClientKey()
    const { body } = await tokenRequest(
      door,
      { grant_type: 'client_credentials' },
      key,
      basic(machine.clientId, machine.clientSecret),
    )
    expect(body.token_type).toBe('DPoP')
    const bare = await fetch(`${door.url}/api/v1/me`, { headers: { authorization: `Bearer ${body.access_token}` } })
    expect(bare.status).toBe(401)
    expect((await call(door, key, body.access_token)).status).toBe(200)
  })

  test('a wrong secret, or the stored hash as one, gets nothing', async () => {
    const row = await door.store.store.db
      .selectFrom('machines')
      .select('secret_hash')
      .where('client_id', '=', machine.clientId)
      .executeTakeFirstOrThrow()
    expect(row.secret_hash).not.toContain(machine.clientSecret)
    for (const secret of ['wrong secret of a machine', row.secret_hash ?? '']) {
      const { status, body } = await tokenRequest(
        door,
        { grant_type: 'client_credentials' },
        undefined,
        basic('deploy', secret),
      )
      expect([status, body.error]).toEqual([401, 'invalid_client'])
    }
  })

  test('a CI job exchanges the ID token that it is known by, and no other', async () => {
    const idTokenOf = async (sub: string) => {
      door.upstream.person = { sub, preferred_username: sub }
      return upstreamIdToken(door)
    }
    const exchange = async (subject_token: string) =>
      tokenRequest(door, {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        client_id: 'ci',
        subject_token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      })
    const { status, body } = await exchange(await idTokenOf('ci-job-1'))
    expect([status, body.error]).toEqual([200, undefined])
    const me = await fetch(`${door.url}/api/v1/me`, { headers: { authorization: `Bearer ${body.access_token}` } })
    expect(await me.json()).toMatchObject({ principal: { kind: 'machine', id: 'ci' } })
    expect((await exchange(await idTokenOf('ci-job-2'))).body.error).toBe('invalid_grant')
    expect((await exchange('not a token')).body.error).toBe('invalid_grant')
  })
})

describe('the API', () => {
  test('asks for a sign-in, in words and in a header', async () => {
    const response = await fetch(`${door.url}/api/v1/me`)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toMatch(/DPoP.*Bearer/)
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    expect(await response.json()).toMatchObject({ status: 401, code: 'NOT_SIGNED_IN', title: 'Not signed in' })
  })

  test('a bound token needs a fresh proof for this very request', async () => {
    const key = await newClientKey()
    const { access_token } = await signIn(door, key)
    const url = `${door.url}/api/v1/me`
    const send = async (dpop: string | undefined, scheme = 'DPoP') => {
      const headers = { authorization: `${scheme} ${access_token}`, ...(dpop === undefined ? {} : { dpop }) }
      return (await fetch(url, { headers })).status
    }
    const good = await key.proof('GET', url, { accessToken: access_token })
    expect(await send(good)).toBe(200)
    expect(await send(good), 'used before').toBe(401)
    expect(await send(undefined), 'none').toBe(401)
    expect(await send(undefined, 'Bearer'), 'as Bearer').toBe(401)
    expect(await send(await key.proof('POST', url, { accessToken: access_token })), 'method').toBe(401)
    expect(await send(await key.proof('GET', `${url}/x`, { accessToken: access_token })), 'address').toBe(401)
    expect(await send(await key.proof('GET', url)), 'no token hash').toBe(401)
    const old = Math.floor(Date.now() / 1000) - 300
    expect(await send(await key.proof('GET', url, { accessToken: access_token, iat: old })), 'old').toBe(401)
    const other = await newClientKey()
    expect(await send(await other.proof('GET', url, { accessToken: access_token })), 'another key').toBe(401)
    expect(await send('rubbish'), 'rubbish').toBe(401)
  })

  test('every error is a problem document, and a fault of ours keeps its reason', async () => {
    const key = await newClientKey()
    const { access_token } = await signIn(door, key)
    const post = async (path: string, body: string) => {
      const response = await call(door, key, access_token, path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      return jsonOf(response, ProblemDocument)
    }
    expect(await post('/api/v1/nothing', '{}')).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    const invalid = await post('/api/v1/explain', '{"connection":"UPPER"}')
    expect(invalid).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    expect(invalid.errors?.map(({ path }) => path).sort()).toEqual(['connection', 'text'])
    expect(await post('/api/v1/explain', '{"connec')).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
    const fault = await post('/api/v1/explain', '{"connection":"orders-db","text":"select 1"}')
    expect(fault).toMatchObject({ status: 500, code: 'INTERNAL' })
    expect(JSON.stringify(fault)).not.toContain('nobody outside')
    const huge = await post('/api/v1/explain', JSON.stringify({ connection: 'a', text: 'x'.repeat(5_000_000) }))
    expect(huge).toMatchObject({ status: 413 })
    const outside = await fetch(`${door.url}/elsewhere`)
    expect(await outside.json()).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  })

  test('describes itself, and tells clients where to sign in', async () => {
    const found = await jsonOf(await fetch(`${door.url}/.well-known/sallyport`), z.object({ issuer: z.url() }).loose())
    expect(found).toMatchObject({ name: 'Harborline', issuer: `${door.url}/oauth`, api: `${door.url}/api/v1` })
    const discovery = await fetch(`${found.issuer}/.well-known/openid-configuration`, {
      headers: { host: 'evil.example', 'x-forwarded-host': 'evil.example', origin: 'https://evil.example' },
    })
    expect(discovery.headers.get('access-control-allow-origin')).toBeNull()
    const metadata = await jsonOf(discovery, z.record(z.string(), z.unknown()))
    expect(metadata.token_endpoint).toBe(`${door.url}/oauth/token`)
    expect(metadata.device_authorization_endpoint).toBe(`${door.url}/oauth/device/auth`)
    expect(JSON.stringify(metadata)).not.toContain('evil.example')
    const document = await jsonOf(
      await fetch(`${door.url}/api/openapi.json`),
      z.object({ paths: z.record(z.string(), z.unknown()) }),
    )
    expect(Object.keys(document.paths)).toContain('/connections/{name}/schema')
    expect((await fetch(`${door.url}/healthz`)).status).toBe(200)
    expect(await (await fetch(`${door.url}/metrics`)).text()).toMatch(
      /sallyport_api_requests_total\{status="200"\} \d+/,
    )
  })
})

test('no token, code or secret can be read from the store', async () => {
  const key = await newClientKey()
  const tokens = await signIn(door, key)
  const all = await door.store.store.db.selectFrom('oidc_payloads').selectAll().execute()
  const rows = all.map((row) => `${row.model} ${row.id_hash} ${row.payload_sealed.toString('latin1')} ${row.grant_id}`)
  const text = rows.join('\n')
  expect(text).not.toContain(tokens.access_token)
  expect(text).not.toContain(tokens.refresh_token)
})

test('a request that makes no sense counts as a guess; a device that waits for its person does not', async () => {
  const other = await startTestDoor()
  try {
    const post = async (path: string, body: Record<string, string>) =>
      fetch(`${other.url}/oauth/${path}`, { method: 'POST', body: new URLSearchParams(body) })
    const started = await post('device/auth', { client_id: 'sallyport-cli', scope: 'openid' })
    const { device_code } = z.object({ device_code: z.string() }).parse(await started.json())
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code'
    const key = await newClientKey()
    for (let poll = 0; poll < 35; poll += 1) {
      const { body } = await tokenRequest(other, { grant_type, device_code, client_id: 'sallyport-cli' }, key)
      expect(body.error).toBe('authorization_pending')
    }
    for (let attempt = 0; attempt < 30; attempt += 1)
      expect((await post('token', { grant_type: 'x' })).status).toBe(400)
    expect((await post('token', { grant_type: 'x' })).status).toBe(429)
  } finally {
    await other.close()
  }
})

test('guessing is slowed down, and a gateway whose provider is away says so', async () => {
  const said: string[] = []
  const other = await startTestDoor({ log: { ...quiet, warn: (_fields, message) => said.push(message) } })
  try {
    const guess = () =>
      fetch(`${other.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'guess' }),
      })
    const statuses: number[] = []
    for (let attempt = 0; attempt < 31; attempt += 1) statuses.push((await guess()).status)
    expect(new Set(statuses.slice(0, 30))).toEqual(new Set([401]))
    expect(statuses[30]).toBe(429)
    expect(Number((await guess()).headers.get('retry-after'))).toBeGreaterThan(0)
    // What nobody could mean is no way past it, and fills no log.
    const before = said.length
    for (let attempt = 0; attempt < 20; attempt += 1) {
      expect((await fetch(`${other.url}/oauth/interaction/none`)).status).toBe(400)
    }
    expect(said.slice(before)).toHaveLength(1)

    await other.upstream.close()
    await expect(authorize(other, new Browser())).rejects.toThrow(/502.*sign-in provider does not answer/s)
  } finally {
    await other.close()
  }
})

async function upstreamIdToken({ upstream }: TestDoor): Promise<string> {
  const browser = new Browser()
  const { verifier, challenge } = newPkce()
  const callback = `${door.url}/oauth/callback`
  const start = new URL(`${upstream.issuer}/auth`)
  start.search = new URLSearchParams({
    client_id: upstream.clientId,
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid profile',
    code_challenge: challenge,
    code_challenge_method: 'S256',
  }).toString()
  const { url } = await browser.follow(start.href, (next) => next.pathname !== '/oauth/callback')
  const response = await fetch(`${upstream.issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: new URL(url).searchParams.get('code') ?? '',
      redirect_uri: callback,
      code_verifier: verifier,
      client_id: upstream.clientId,
      client_secret: upstream.clientSecret,
    }),
  })
  return (await jsonOf(response, z.object({ id_token: z.string() }))).id_token
}
