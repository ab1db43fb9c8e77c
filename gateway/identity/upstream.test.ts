import { expect, test } from 'vitest'
import { checkAge } from './upstream.ts'

const issuer = new URL('https://id.example/realm')
const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds

test('a fresh sign-in that is wanted has to be one, and said to be one', () => {
  expect(() => checkAge(secondsAgo(60), 900, issuer)).not.toThrow()
  expect(() => checkAge(secondsAgo(3600), 900, issuer)).toThrow(/id\.example answered with an earlier sign-in/)
  expect(() => checkAge(undefined, 900, issuer)).toThrow(/id\.example does not say when you signed in there/)
  expect(() => checkAge(undefined, undefined, issuer)).not.toThrow()
})
