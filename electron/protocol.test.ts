import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isPage, openPages } from './protocol.ts'

let dir = ''
let get: (path: string, method?: string) => Promise<Response>

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sallyport-pages-'))
  await mkdir(join(dir, 'dist', 'assets'), { recursive: true })
  await writeFile(join(dir, 'dist', 'index.html'), '<!doctype html>')
  await writeFile(join(dir, 'dist', 'assets', 'main-1.js'), 'export {}')
  await writeFile(join(dir, 'dist', '.env'), 'x')
  await writeFile(join(dir, 'secret.js'), 'x')
  await symlink(join(dir, 'secret.js'), join(dir, 'dist', 'link.js'))
  const pages = await openPages(join(dir, 'dist'))
  get = (path, method = 'GET') => pages({ url: path.startsWith('/') ? `app://sallyport${path}` : path, method })
})
afterAll(() => rm(dir, { recursive: true, force: true }))

test('serves the built page, with its type and a policy that lets it load its own files alone', async () => {
  const page = await get('/index.html')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const policy = page.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';")
  expect(policy).toContain("connect-src 'self';")
  expect(policy).not.toContain("'unsafe-eval'")
  expect(policy).not.toMatch(/script-src[^;]*'unsafe/)
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  expect(await (await get('/')).text()).toBe('<!doctype html>')
  expect((await get('/assets/main-1.js')).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  expect(await (await get('/index.html', 'HEAD')).text()).toBe('')
})

test.each([
  '/missing.js',
  '/../secret.js',
  '/%2e%2e/secret.js',
  '/assets/..%2f..%2fsecret.js',
  '/link.js',
  '/.env',
  '/assets',
  '/assets/',
  '/index.html/',
  'app://other/index.html',
  'app://sallyport:80/index.html',
  'file:///etc/passwd',
  'nonsense',
])('serves nothing for %s', async (path) => {
  expect((await get(path)).status).toBe(404)
})

test('takes no other method', async () => {
  expect((await get('/index.html', 'POST')).status).toBe(405)
})

test('says what to do when the page has not been built', async () => {
  await expect(openPages(join(dir, 'nowhere'))).rejects.toThrow('npm run build')
})

test.each([
  ['app://sallyport/index.html', true],
  ['app://sallyport', true],
  ['app://sallyport.evil/index.html', false],
  ['app://evil@sallyport:1/', false],
  ['https://sallyport/', false],
  ['', false],
])('isPage(%j) is %s', (url, page) => {
  expect(isPage(url)).toBe(page)
})
