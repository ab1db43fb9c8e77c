import type { Catalog, CatalogRelation, Changes, SessionEffect } from '../analysis.ts'
import { both } from '../changes.ts'
import { freshAfter, isSchema } from '../sql/fresh.ts'
import { isKnown, standing, surely, wasRead, withTables } from './fresh.ts'

/** What a session's own transaction does to definitions, which the catalog's connection can't see. */
export class Uncommitted {
  /** Names that may mean something else than the catalog says. */
  names: Changes | undefined
  /** Those that changed since the catalog was read. */
  #changes: Changes | undefined
  /** Tables that this transaction made or changed, and that are as it made them. */
  #fresh: readonly CatalogRelation[] = []
  /** Those that are by what was forwarded since; undefined: nothing was. */
  #making: readonly CatalogRelation[] | undefined
  #catalog: { read: Catalog; whole: Catalog } | undefined
  /** The segment in which a table was made last unless there was one. */
  #madeUnlessThere = 0
  /** The segment of the last change. */
  #changed = 0

  /** Definitions may change. */
  change(effect: Extract<SessionEffect, { kind: 'ddl' }>, segment: number): void {
    const before = this.#changes === undefined ? this.names : both(this.names, this.#changes)
    this.#changes = both(this.#changes, effect.changes)
    this.#changed = segment
    if (effect.fresh?.every(isKnown) === false) this.#madeUnlessThere = segment
    this.#making = freshAfter(this.#latest, surely(effect, before))
  }

  /** Names of what it made, and that may be gone, or be there for everybody, when it ends or goes back to a savepoint. */
  get made(): ReadonlySet<string> {
    return new Set(this.#latest.filter((one) => !isSchema(one)).map(({ name }) => name))
  }

  get #latest(): readonly CatalogRelation[] {
    return this.#making ?? this.#fresh
  }

  /** The catalog is read again: what was committed by then is in it. `segment`: the client's current one; `isOver`: no transaction is open. */
  refreshed(segment: number, isOver: boolean): void {
    const changes = this.#changes
    this.#changes = undefined
    if (changes !== undefined && !isOver) this.names = both(this.names, changes)
    // The target need not have run yet what was sent since: what the catalog says is older than that.
    const read = this.#madeUnlessThere === segment ? this.#latest : wasRead(this.#latest)
    this.#set(isOver ? [] : read)
  }

  /** No transaction is open; up to segment `confirmed` all is committed or taken back, and the catalog shows which. */
  over(confirmed: number): void {
    if (this.#changed > confirmed) return
    this.#changes = undefined
    this.#set([])
  }

  #set(fresh: readonly CatalogRelation[]): void {
    this.#making = undefined
    if (fresh === this.#fresh || (fresh.length === 0 && this.#fresh.length === 0)) return
    this.#fresh = fresh
    this.#catalog = undefined
  }

  /** A catalog with what this transaction made. The same object as long as both are. */
  withMade(catalog: Catalog): Catalog {
    if (this.#fresh.length === 0) return catalog
    if (this.#catalog?.read !== catalog) {
      const { fresh, moved } = standing(this.#fresh, catalog)
      if (moved.length > 0) this.names = both(this.names, new Set(moved))
      this.#fresh = fresh
      this.#catalog = { read: catalog, whole: withTables(catalog, fresh) }
    }
    return this.#catalog.whole
  }
}
