import { loadParser } from '../../agent/inspect/postgres/parser.ts'
import { loadCorpus } from './corpus.ts'
import { type Input, inputsOf } from './input.ts'
import { learn } from './learn.ts'
import type { Stock } from './mutate.ts'
import type { Ground } from './run.ts'

/** The recorded sessions as what they are for the fuzzer: seeds, a model of a target, and a stock to draw from. */
export async function prepare(): Promise<{ ground: Ground; seeds: readonly Input[]; stock: Stock }> {
  await loadParser()
  const corpus = loadCorpus()
  const learned = learn(corpus)
  const seeds = corpus.conversations.flatMap(inputsOf)
  const frames = (from: 'client' | 'target') =>
    seeds.flatMap(({ pieces }) =>
      pieces.flatMap((one) => (one.from === from && one.bytes.length < 4096 ? [one.bytes] : [])),
    )
  return {
    ground: { corpus, learned },
    seeds,
    stock: {
      client: frames('client'),
      target: frames('target'),
      texts: [...learned.answers.keys()],
      sessions: seeds.flatMap(({ live, pieces }) => (live ? [pieces.filter(({ bytes }) => bytes[0] !== 0x58)] : [])),
    },
  }
}
