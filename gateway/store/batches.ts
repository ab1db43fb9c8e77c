interface Waiting<Item> {
  item: Item
  resolve(): void
  reject(error: unknown): void
}

/** More than this in one transaction hold its locks for too long. */
const most = 100

/**
 * Stores items in the order that they came, those that wait together at once: what a busy gateway stores by the hundred
 * a second would otherwise stand in line for as many commits.
 */
export class Batches<Item> {
  readonly #store: (items: readonly Item[]) => Promise<void>
  readonly #waiting: Waiting<Item>[] = []
  #draining: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined

  /** `store` keeps all of the items or, rejecting, none. */
  constructor(store: (items: readonly Item[]) => Promise<void>) {
    this.#store = store
  }

  /**
   * Resolves once the item is stored; rejects with why it can't be. One that nobody waits for may have patience, in milliseconds: it
   * is stored with the next that has none.
   */
  add(item: Item, patienceMs = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      if (patienceMs === 0) this.#begin()
      else this.#timer ??= setTimeout(() => this.#begin(), patienceMs)
    })
  }

  #begin(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#draining ??= this.#drain()
  }

  async #drain(): Promise<void> {
    // Those that come in the same turn are stored together.
    await new Promise((done) => setImmediate(done))
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, most)
      try {
        await this.#store(taken.map(({ item }) => item))
        for (const { resolve } of taken) resolve()
      } catch (error) {
        if (taken.length === 1) taken[0]?.reject(error)
        else await this.#oneByOne(taken)
      }
    }
    this.#draining = undefined
  }

  /** One that can't be stored does not keep the others from it. */
  async #oneByOne(taken: readonly Waiting<Item>[]): Promise<void> {
    for (const { item, resolve, reject } of taken) {
      try {
        await this.#store([item])
        resolve()
      } catch (error) {
        reject(error)
      }
    }
  }
}
