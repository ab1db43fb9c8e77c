import type { CatalogFunction, CatalogRelation } from '../analysis.ts'
import { Report } from './report.ts'
import { lateNames } from './walk.ts'

const deepest = 12
const most = 5_000
const mostBytes = 16 << 20
/** A key longer than this is for a search_path that nobody needs, and not worth its memory. */
const longestKey = 1_000

/** What the functions of a catalog do, under each search_path that they were called with. */
export class Codes {
  readonly #known = new Map<string, Report>()
  readonly #open = new Set<number>()
  /** Of these, those whose reports leave out what one that they stand in is found to do. */
  readonly #partial = new Set<number>()
  #bytes = 0

  report(
    fn: CatalogFunction,
    row: CatalogRelation | undefined,
    searchPath: readonly string[] | undefined,
    read: (definition: string) => Report,
  ): Report {
    const key = `${fn.oid} ${row?.oid ?? ''} ${searchPath === undefined ? '?' : JSON.stringify(searchPath)}`
    const known = this.#known.get(key)
    if (known) return known
    if (fn.definition === undefined) return failed(fn, 'has a definition that can’t be read')
    if (this.#open.has(fn.oid) || this.#open.size >= deepest) return failed(fn, 'calls itself, or too many others')
    this.#open.add(fn.oid)
    let report: Report
    let partial: boolean
    try {
      report = read(fn.definition)
    } finally {
      this.#open.delete(fn.oid)
      partial = this.#partial.delete(fn.oid)
    }
    report.followed.add(fn.oid)
    const { doubt } = report
    if (doubt !== undefined) {
      const hint = doubt.endsWith(lateNames) ? `; SET search_path in its definition would settle that` : ''
      report.doubt = `what the function ${fn.schema}.${fn.name} does can't be told: ${doubt}${hint}`
    }
    if (partial || key.length > longestKey) return report
    const bytes = 2 * key.length + report.bytes
    if (this.#known.size >= most || this.#bytes + bytes > mostBytes) {
      this.#known.clear()
      this.#bytes = 0
    }
    this.#bytes += bytes
    this.#known.set(key, report)
    return report
  }

  /** Whether `fn` is being looked into. Of those within it, the reports hold for nobody else. */
  within({ oid }: CatalogFunction): boolean {
    if (!this.#open.has(oid)) return false
    let inside = false
    for (const one of this.#open) {
      if (inside) this.#partial.add(one)
      inside ||= one === oid
    }
    return true
  }
}

function failed({ schema, name }: CatalogFunction, why: string): Report {
  const report = new Report('sql:select')
  report.doubts(`the function ${schema}.${name} ${why}`)
  return report
}
