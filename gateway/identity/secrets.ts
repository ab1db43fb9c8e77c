import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** How machine secrets are kept: `scrypt$<salt>$<hash>`, base64url. They are chosen by people, so a fast hash will not do. */
const cost = { N: 16_384, r: 8, p: 1 }
const hashBytes = 32

export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16)
  return `scrypt$${salt.toString('base64url')}$${(await derive(secret, salt)).toString('base64url')}`
}

/** Takes the same time whether or not the secret is right. False for a hash that is not one of ours. */
export async function verifySecret(secret: string, stored: string): Promise<boolean> {
  const [scheme, salt, hash] = stored.split('$')
  if (scheme !== 'scrypt' || salt === undefined || hash === undefined) return false
  const expected = Buffer.from(hash, 'base64url')
  const actual = await derive(secret, Buffer.from(salt, 'base64url'))
  return expected.byteLength === actual.byteLength && timingSafeEqual(expected, actual)
}

function derive(secret: string, salt: Buffer): Promise<Buffer> {
  return new Promise((done, fail) => {
    scrypt(secret, salt, hashBytes, cost, (error, key) => (error === null ? done(key) : fail(error)))
  })
}
