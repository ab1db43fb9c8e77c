import type { Catalog, StatementAnalysis } from './analysis.ts'
import { weightOf } from './weight.ts'

const most = 256
/** Of all that is kept under one catalog together. */
const mostBytes = 2 << 20

/**
 * Analyses that the sessions of a process share: what a statement does under a catalog and a search_path is the same for everybody, and
 * each session begins with the same few. Kept by template, so that no values are, nor can anybody tell from how soon an answer comes which
 * ones others asked for. Who may do it, and what is masked for whom, is each session's own.
 */
export class SharedAnalyses {
  readonly #known = new Map<string, { analysis: StatementAnalysis; bytes: number }>()
  #bytes = 0

  get(template: string, searchPath: readonly string[]): StatementAnalysis | undefined {
    return this.#known.get(keyOf(template, searchPath))?.analysis
  }

  /** Only for a statement that its literals make no difference to (`literalFree`). */
  keep(template: string, searchPath: readonly string[], analysis: StatementAnalysis): void {
    const key = keyOf(template, searchPath)
    const bytes = weightOf(analysis) + 2 * key.length
    if (bytes > mostBytes / 4 || this.#known.has(key)) return
    this.#known.set(key, { analysis, bytes })
    this.#bytes += bytes
    for (const [oldest, old] of this.#known) {
      if (this.#known.size <= most && this.#bytes <= mostBytes) break
      this.#known.delete(oldest)
      this.#bytes -= old.bytes
    }
  }

  /** Estimated bytes of all that is kept. */
  get bytes(): number {
    return this.#bytes
  }
}

const shared = new WeakMap<Catalog, SharedAnalyses>()

/** Those under a catalog: another snapshot has its own. */
export function sharedUnder(catalog: Catalog): SharedAnalyses {
  let analyses = shared.get(catalog)
  if (analyses === undefined) {
    analyses = new SharedAnalyses()
    shared.set(catalog, analyses)
  }
  return analyses
}

/** A template holds no such character. */
function keyOf(template: string, searchPath: readonly string[]): string {
  return `${template}\0${searchPath.join('\0')}`
}
