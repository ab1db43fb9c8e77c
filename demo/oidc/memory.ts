import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from 'oidc-provider'

interface Kept {
  payload: AdapterPayload
  grantId: string | undefined
  expiresAt: number
}

/** Where the provider keeps codes, tokens and browser sessions for as long as the demo runs: sign-ins there do not outlive it. */
export function memoryAdapter(): AdapterFactory {
  const models = new Map<string, Map<string, Kept>>()
  return (model) => {
    const kept = models.get(model) ?? new Map<string, Kept>()
    models.set(model, kept)
    return adapterOver(kept)
  }
}

function adapterOver(kept: Map<string, Kept>): Adapter {
  const alive = (entry: Kept | undefined): AdapterPayload | undefined =>
    entry === undefined || entry.expiresAt < Date.now() ? undefined : entry.payload
  const findBy = async (matches: (payload: AdapterPayload) => boolean) =>
    alive([...kept.values()].find(({ payload }) => matches(payload)))
  return {
    async upsert(id, payload, expiresIn) {
      for (const [known, { expiresAt }] of kept) if (expiresAt < Date.now()) kept.delete(known)
      const expiresAt = expiresIn === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresIn * 1000
      kept.set(id, { payload, grantId: payload.grantId, expiresAt })
    },
    find: async (id) => alive(kept.get(id)),
    findByUserCode: (userCode) => findBy((payload) => payload.userCode === userCode),
    findByUid: (uid) => findBy((payload) => payload.uid === uid),
    async consume(id) {
      const entry = kept.get(id)
      if (entry === undefined || entry.payload.consumed !== undefined) throw new errors.InvalidGrant('already used')
      entry.payload = { ...entry.payload, consumed: Math.floor(Date.now() / 1000) }
    },
    async destroy(id) {
      kept.delete(id)
    },
    async revokeByGrantId(grantId) {
      for (const [id, entry] of kept) if (entry.grantId === grantId) kept.delete(id)
    },
  }
}
