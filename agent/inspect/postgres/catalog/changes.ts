import type { DefinitionChange } from '../../../../shared/link.ts'

/** What this process knows to change the definitions of one database; shared by all who read its catalog, as whoever they sign in. */
export class DatabaseChanges {
  /** How often they were changed. */
  count = 0
  readonly #underWay = new Set<symbol | string>()

  /** They may be committed at any moment. */
  get underWay(): boolean {
    return this.#underWay.size > 0
  }

  /** Other than by that one. */
  underWayBut(change: symbol): boolean {
    return this.#underWay.size > (this.#underWay.has(change) ? 1 : 0)
  }

  begin(change: symbol | string): void {
    this.#underWay.add(change)
  }

  end(change: symbol | string): void {
    this.#underWay.delete(change)
  }
}

/** Of every database by its address, which is all that another process says of it. */
export class AllChanges {
  readonly #databases = new Map<string, DatabaseChanges>()

  of({ host, port, database }: Pick<DefinitionChange, 'host' | 'port' | 'database'>): DatabaseChanges {
    const key = JSON.stringify([host.toLowerCase(), port, database])
    let changes = this.#databases.get(key)
    if (changes === undefined) {
      changes = new DatabaseChanges()
      this.#databases.set(key, changes)
    }
    return changes
  }

  all(): Iterable<DatabaseChanges> {
    return this.#databases.values()
  }
}
