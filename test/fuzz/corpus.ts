import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { CatalogFunction, CatalogRelation } from '../../agent/inspect/postgres/analysis.ts'
import { Snapshot } from '../../agent/inspect/postgres/catalog/catalog.ts'

/**
 * Sessions recorded between a client, the inspector and a real PostgreSQL (`record.ts`), in the order in which the bytes came.
 * `door`: what the inspector sent to the target.
 */
const Step = z.object({ from: z.enum(['client', 'target', 'door']), data: z.base64() })
const Recorded = z.object({
  postgres: z.string(),
  conversations: z.array(z.object({ name: z.string(), steps: z.array(Step) })),
  /** As the catalog's reader gives them; the target's own definitions are ours to trust here. */
  relations: z.array(z.custom<CatalogRelation>()),
  functions: z.array(z.custom<CatalogFunction>()),
})
export type Recorded = z.infer<typeof Recorded>

export interface Heard {
  from: 'client' | 'target' | 'door'
  bytes: Buffer
}

export interface Conversation {
  name: string
  steps: readonly Heard[]
}

export interface Corpus {
  conversations: readonly Conversation[]
  catalog: Snapshot
}

export const corpusFile = fileURLToPath(new URL('corpus.json', import.meta.url))

export function loadCorpus(): Corpus {
  const { conversations, relations, functions } = Recorded.parse(JSON.parse(readFileSync(corpusFile, 'utf8')))
  return {
    conversations: conversations.map(({ name, steps }) => ({
      name,
      steps: steps.map(({ from, data }) => ({ from, bytes: Buffer.from(data, 'base64') })),
    })),
    catalog: new Snapshot(1, 'postgres', { own: { relations, functions } }),
  }
}
