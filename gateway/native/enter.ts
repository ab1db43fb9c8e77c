import type { Principal } from '../../shared/principal.ts'
import { newId } from '../secrets.ts'
import { type AdmissionDeps, admit, type Refusal } from '../sessions/admission.ts'
import type { NewSession, Sessions } from '../sessions/registry.ts'
import type { Tokens } from '../tokens.ts'

export interface NativeDeps extends AdmissionDeps {
  tokens: Tokens
  sessions: Sessions
}

/** What somebody typed at a native listener. */
export interface Credentials {
  user: string
  connection: string
  token: string
  sourceIp: string
}

export type NativeEntry =
  | { ok: true; session: Omit<NewSession, 'client'> }
  | { ok: false; kind: 'token'; message: string; hint: string }
  | Refusal

/**
 * Checks a session token and policy. The token says who it is and for which connection; user and connection as typed
 * must agree with it, so that a login as one never becomes a session of another.
 */
export async function enterNative(deps: NativeDeps, typed: Credentials): Promise<NativeEntry> {
  const { user, connection, token, sourceIp } = typed
  const hint = `Get a new one with: sallyport token ${connection === '' ? 'CONNECTION' : connection}`
  const checked = await deps.tokens.checkToken(token)
  if (!checked.ok) return { ok: false, kind: 'token', message: tokenWords(checked.why), hint }
  const { principal, connection: granted, accessTokenId, mfa } = checked.admission
  if (!isName(principal, user)) {
    return { ok: false, kind: 'token', message: `This session token is not one of ${user || 'an unnamed user'}.`, hint }
  }
  if (granted !== connection) {
    return {
      ok: false,
      kind: 'token',
      message: `This session token is not for ${connection || 'no connection'}.`,
      hint,
    }
  }
  const context = { sourceIp, mfa }
  const admission = admit(deps, { principal, context }, connection)
  if (!admission.ok) return admission
  const { ref, target } = admission.connection
  return {
    ok: true,
    session: {
      spec: {
        sessionId: newId('ses'),
        principal,
        connection: ref,
        target,
        annotations: 'text',
        context,
        grants: admission.grants,
      },
      door: 'native',
      accessTokenId,
    },
  }
}

/** A machine goes by its client id or its name, a person by the login name. */
function isName(principal: Principal, user: string): boolean {
  return user === principal.id || (principal.kind === 'machine' && user === principal.name)
}

/** `ada%web-1`: who, and where to. The last % separates, for it is in no connection's name. */
export function splitUser(text: string): { user: string; connection: string | undefined } {
  const at = text.lastIndexOf('%')
  return at === -1 ? { user: text, connection: undefined } : { user: text.slice(0, at), connection: text.slice(at + 1) }
}

function tokenWords(why: 'unknown' | 'expired' | 'used' | 'revoked'): string {
  switch (why) {
    case 'expired':
      return 'This session token expired: one is good for ten minutes.'
    case 'revoked':
      return 'This session token was revoked when its sign-in ended.'
    case 'unknown':
    case 'used':
      return 'The password is not a session token of this gateway.'
  }
}
