import { Random } from '../fuzz/random.ts'
import { type Difference, play, Tally } from './play.ts'
import { type Program, programOf, scratch } from './programs.ts'
import { fill, schema, sensitivity } from './schema.ts'
import { shelf } from './shelf.ts'
import { Worlds, type WorldsOptions } from './worlds.ts'

/** How many programs may leave something behind before the worlds are made anew. */
const mostLasting = 30

/** The two worlds of `schema.ts`, and what is needed to play on and on in them. */
export class Stage {
  readonly worlds: Worlds
  #lasting = 0

  private constructor(worlds: Worlds) {
    this.worlds = worlds
  }

  static async open(server?: WorldsOptions['server']): Promise<Stage> {
    const stage = new Stage(
      await Worlds.open({ server, sensitivity, make: (world) => schema + fill(world), path: 'worlds' }),
    )
    await stage.#furnish()
    return stage
  }

  async play(program: Program, tally: Tally): Promise<Difference | undefined> {
    if (program.lasting)
      await this.worlds.direct(
        () =>
          `drop schema if exists ${scratch} cascade; create schema ${scratch}; grant all on schema ${scratch} to public`,
      )
    const difference = await play(this.worlds, program.steps, tally)
    if (program.lasting) this.#lasting++
    if (difference !== undefined || this.#lasting > mostLasting) await this.renew()
    return difference
  }

  /** As it was in the beginning. */
  async renew(): Promise<void> {
    this.#lasting = 0
    await this.worlds.even()
    await this.worlds.direct((world) => schema + fill(world))
    await this.#furnish()
    await this.worlds.renew()
  }

  async #furnish(): Promise<void> {
    for (const sql of shelf()) await this.worlds.direct(() => sql, refusedByServer)
    await this.worlds.even()
    await this.worlds.read()
    this.worlds.forget()
  }

  close(): Promise<void> {
    return this.worlds.close()
  }
}

/** Random expressions need not make sense. */
function refusedByServer(error: unknown): void {
  if (!(error instanceof Error) || !('code' in error)) throw error
}

/** The tape of the program of that number in the run of a seed. */
export function tapeOf(seed: number, n: number): number[] {
  const random = new Random(seed * 1_000_003 + n)
  return Array.from({ length: 160 }, () => random.below(9973))
}

export interface Run {
  tally: Tally
  /** By the names of the programs. */
  byName: ReadonlyMap<string, Tally>
}

/** Plays the programs of a seed, one after the other. */
export async function run(
  stage: Stage,
  seed: number,
  count: number,
  tell: (played: number, tally: Tally) => void = () => {},
): Promise<Run> {
  const byName = new Map<string, Tally>()
  for (let n = 0; n < count; n++) {
    const program = programOf(tapeOf(seed, n))
    const own = byName.get(program.name) ?? new Tally()
    byName.set(program.name, own)
    await stage.play(program, own)
    if (n % 500 === 499) tell(n + 1, Tally.of([...byName.values()]))
  }
  return { tally: Tally.of([...byName.values()]), byName }
}
