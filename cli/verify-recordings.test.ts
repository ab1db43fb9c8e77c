import { ORPCError } from '@orpc/client'
import { expect, test } from 'vitest'
import type { AuditRecord, Verification } from '../shared/api/models.ts'
import { verifyRecordings } from './verify-recordings.ts'

const at = (n: number) => new Date(Date.UTC(2026, 0, 14, 10, 0, n)).toISOString()
const record = (seq: number, action: string, subject: string): AuditRecord => ({
  ...{ seq, action, subject, at: at(seq % 60), actor: 'ada', detail: {}, hash: `h${seq}` },
})
const sound: Verification = { ok: true, checked: 1, problems: [] }

/** A log of these records, and what verifying each recording says. */
function gateway(records: readonly AuditRecord[], answer: (id: string) => Verification) {
  const asked: string[] = []
  const api = {
    audit: {
      list: async ({ after, limit }: { after: number; limit: number }) =>
        records.filter(({ seq }) => seq > after).slice(0, limit),
    },
    recordings: {
      verify: async ({ id }: { id: string }) => {
        asked.push(id)
        return answer(id)
      },
    },
  }
  return { api, asked }
}

test('every recording that the log knows to have ended is verified, once, over all pages', async () => {
  const others = Array.from({ length: 1500 }, (_, i) => record(i + 2, 'sign-in', 'ada'))
  const records = [
    record(1, 'session.end', 'ses_a'),
    ...others,
    record(1502, 'session.open', 'ses_live'),
    record(1503, 'recording.seal', 'ses_a'),
    record(1504, 'session.end', 'ses_b'),
  ]
  const { api, asked } = gateway(records, () => sound)
  expect(await verifyRecordings(api, undefined)).toEqual({ state: 'checked', checked: 2, elsewhere: 0, problems: [] })
  expect(asked).toEqual(['ses_a', 'ses_b'])
})

test('what is wrong with one is named with it: changed, missing, or a session that the store no longer knows', async () => {
  const ids = ['ses_good', 'ses_changed', 'ses_gone', 'ses_there']
  const { api } = gateway(
    ids.map((id, i) => record(i + 1, 'session.end', id)),
    (id) => {
      if (id === 'ses_changed') return { ok: false, checked: 2, problems: ['000002.jsonl.zst: missing'] }
      if (id === 'ses_gone')
        throw new ORPCError('NOT_FOUND', { status: 404, message: 'There is no recording ses_gone.' })
      if (id === 'ses_there') throw new ORPCError('CONFLICT', { status: 409, message: 'Another replica holds it.' })
      return sound
    },
  )
  const { problems, elsewhere } = await verifyRecordings(api, undefined)
  expect(problems).toEqual(['ses_changed: 000002.jsonl.zst: missing', 'ses_gone: There is no recording ses_gone.'])
  expect(elsewhere).toBe(1)
})

test('from a time on, and only for those who may read the log', async () => {
  const { api, asked } = gateway([record(1, 'session.end', 'ses_a'), record(2, 'session.end', 'ses_b')], () => sound)
  await verifyRecordings(api, at(2))
  expect(asked).toEqual(['ses_b'])
  const list = async () => {
    throw new ORPCError('FORBIDDEN', { status: 403, message: 'Ask an auditor.' })
  }
  expect(await verifyRecordings({ ...api, audit: { list } }, undefined)).toMatchObject({
    state: 'not-yours',
    checked: 0,
  })
})
