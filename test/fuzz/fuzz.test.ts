import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { Coverage } from './coverage.ts'
import { prepare } from './ground.ts'
import { fromJson, toJson } from './input.ts'
import { minimise } from './minimise.ts'
import { mutate } from './mutate.ts'
import { Random } from './random.ts'
import { examine, run } from './run.ts'

let prepared: Awaited<ReturnType<typeof prepare>>

beforeAll(async () => {
  prepared = await prepare()
})

describe('sessions that nobody would have', () => {
  it('recorded ones are answered the same however they are cut', async () => {
    for (const input of prepared.seeds) {
      for (const seed of [1, 2]) {
        const { problems } = await examine(prepared.ground, input, new Random(seed))
        expect(problems, toJson(input)).toEqual([])
      }
    }
  })

  it('bent ones end in order or go on', async () => {
    const { ground, seeds, stock } = prepared
    const steps = fc.array(fc.nat(), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...seeds), steps, async (seed, bends) => {
        const { answers } = await run(ground, seed, 'whole', new Random(1))
        const input = bends.reduce((one, bend) => mutate(one, answers, stock, new Random(bend)), seed)
        const { problems } = await examine(ground, input, new Random(2))
        expect(problems, toJson(input)).toEqual([])
      }),
      { seed: 20_261_129, numRuns: 150 },
    )
  })
})

describe('the fuzzer itself', () => {
  it('sees a statement that runs without its event, and finds the least that shows it', async () => {
    const { ground, seeds } = prepared
    const input = seeds.find(({ live }) => live)
    if (input === undefined) throw new Error('no seeds')
    // A target that says it ran what stands for a refused statement would do; simplest is a recording that loses events.
    const deaf = { ...ground, deaf: true }
    const fails = async (one: typeof input) =>
      (await examine(deaf, one, new Random(1))).problems.some((words) => words.startsWith('it ran without an event'))
    expect(await fails(input)).toBe(true)
    const least = await minimise(input, fails)
    expect(least.pieces.length).toBe(2)
    expect(fromJson(toJson(least))).toEqual(least)
  })

  it('notices code that runs for the first time, and only that', () => {
    const coverage = new Coverage(['/test/fuzz/random.ts'])
    const random = new Random(1)
    random.below(5)
    expect(coverage.grew()).toBe(true)
    random.below(5)
    expect(coverage.grew()).toBe(false)
    random.pick([1, 2])
    expect(coverage.grew()).toBe(true)
    coverage.close()
  })
})
