import type { Outlet } from './flow.ts'

export interface InputOptions {
  /** Puts on the recording what the data asks for; returns what is still being stored. */
  recorded(data: Buffer): readonly Promise<void>[]
  /** Some of what was held is on its way: the client may send more. */
  progress(): void
  failed(error: unknown): void
}

/**
 * What a client sends to its program: held until that runs, and behind what of it is being put on the recording. Everything leaves in the
 * order in which it came.
 */
export class ClientInput {
  readonly #options: InputOptions
  #outlet: Outlet | undefined
  #early: (Buffer | 'eof')[] = []
  #held = 0
  /** Input whose operations are being put on the recording. */
  #storing: Promise<void> | undefined

  constructor(options: InputOptions) {
    this.#options = options
  }

  /** Bytes that wait here. */
  get held(): number {
    return this.#held
  }

  push(item: Buffer | 'eof'): void {
    if (this.#outlet !== undefined) this.#forward(this.#outlet, item)
    else {
      this.#early.push(item)
      if (item !== 'eof') this.#held += item.length
    }
  }

  /** The program runs. */
  begin(outlet: Outlet): void {
    this.#outlet = outlet
    const early = this.#early
    this.#early = []
    this.#held = 0
    for (const item of early) this.#forward(outlet, item)
  }

  /** Does something behind all that came so far. */
  afterStoring(act: () => void): void {
    if (this.#storing === undefined) act()
    else this.#behind(this.#storing.then(act))
  }

  #forward(outlet: Outlet, item: Buffer | 'eof'): void {
    if (item === 'eof') {
      this.afterStoring(() => outlet.eof())
      return
    }
    const stored = this.#options.recorded(item)
    if (stored.length === 0) {
      this.afterStoring(() => outlet.data(item))
      return
    }
    this.#held += item.length
    const before = this.#storing ?? Promise.resolve()
    this.#behind(
      Promise.all([before, ...stored]).then(() => {
        this.#held -= item.length
        outlet.data(item)
        this.#options.progress()
      }),
    )
  }

  /** Order holds: what comes behind waits for it. */
  #behind(storing: Promise<void>): void {
    this.#storing = storing
    storing.catch((error: unknown) => this.#options.failed(error))
  }
}
