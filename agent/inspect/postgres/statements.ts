import type { Analysis, Catalog, CatalogRelation, Changes, StatementAnalysis } from './analysis.ts'
import { analyse } from './classify.ts'
import { FrameError, sameAt } from './frames.ts'
import { type Field, readRowDescription } from './messages.ts'
import { sharedUnder } from './shared-analyses.ts'
import { template } from './text/template.ts'
import type { Verdict } from './verdict.ts'
import { weightOf } from './weight.ts'

/** Names resolve by these; an analysis is good for as long as both stay. */
export interface Meaning {
  catalog: Catalog
  searchPath: readonly string[]
  /** Definitions that changed in a transaction that is not over: the catalog does not show them. */
  uncommitted: Changes | undefined
}

/** A text as it was read once: by reading it again it is found out whether it still means the same. */
export interface Read {
  text: string
  /** Which of its statements: those before it may have made what it names. */
  index: number
  searchPath: readonly string[] | undefined
  deferred: boolean
  /** What there was besides the catalog: see `Catalog.fresh`. */
  fresh: readonly CatalogRelation[]
  analysis: StatementAnalysis
}

/** One statement of a text, with what was decided about it in this session. */
export class Judged {
  readonly analysis: StatementAnalysis
  /** Statements in the same message: policy sees it. */
  readonly count: number
  verdict: Verdict | undefined
  /** EXECUTE and FETCH with what they refer to: the columns that were described for the statement itself. */
  readonly #base: Judged | undefined
  /** All that it was read from: itself, and what EXECUTE and FETCH refer to. */
  readonly reads: readonly Read[]
  #description: Buffer | undefined
  #fields: readonly Field[] | undefined
  #analysed: number | undefined

  constructor(analysis: StatementAnalysis, count: number, base?: Judged, reads: readonly Read[] = base?.reads ?? []) {
    this.reads = reads
    this.analysis = analysis
    this.count = count
    this.#base = base
  }

  /** The columns that the target described last; undefined before it did. */
  get fields(): readonly Field[] | undefined {
    return this.#fields ?? this.#base?.fields
  }

  /** Takes the RowDescription `buf[start, end)`. The same bytes give the same array again. */
  describe(buf: Buffer, start: number, end: number): readonly Field[] {
    const known = this.#description
    if (known !== undefined && this.#fields !== undefined && sameAt(known, buf, start, end)) return this.#fields
    if (end - start > 1 << 20) throw new FrameError('a row description of more than 1 MiB')
    this.#fields = readRowDescription(buf, start, end)
    this.#description = Buffer.from(buf.subarray(start, end))
    return this.#fields
  }

  /** Estimated bytes that it keeps alive, without its text. */
  get bytes(): number {
    this.#analysed ??= weightOf(this.analysis)
    // Fields are read from the description, and larger than it.
    return this.#analysed + 4 * (this.#description?.length ?? 0)
  }

  /** The target said that there are no rows. */
  describeNone(): void {
    this.#fields = []
    this.#description = undefined
  }
}

/** A text that a client sent, taken apart. */
export type Script =
  | { ok: true; statements: readonly Judged[]; meaning: Meaning; refreshed: boolean }
  | { ok: false; message: string; position?: number; meaning: Meaning; refreshed: boolean }

const mostScripts = 256
const longestKept = 16 * 1024
/** Of all that is kept together. */
const mostBytes = 4 << 20

/**
 * The scripts of one session, kept by their text, or by their template where literals make no difference.
 * Bounded in number and bytes; emptied when names change their meaning.
 */
export class Scripts {
  readonly #known = new Map<string, Script>()
  /** The template that was asked for last, and is in `#known`: the next statement's mostly is the same, and comparing is cheaper than hashing. */
  #last: { key: string; script: Script } | undefined
  #meaning: Meaning | undefined

  /** The script for `text` under `meaning`. `fresh`: the catalog was just read, so what is unknown is unknown. */
  get(text: string, meaning: Meaning, fresh: boolean): Script {
    if (this.#meaning !== meaning) {
      this.#known.clear()
      this.#last = undefined
      this.#meaning = meaning
    }
    const short = text.length <= longestKept
    const key = short ? template(text) : undefined
    if (key !== undefined) {
      const last = this.#last
      if (last !== undefined && !fresh && last.key === key) return last.script
      const known = this.#known.get(key)
      if (known !== undefined && (!fresh || known.refreshed)) {
        this.#last = { key, script: known }
        return known
      }
    }
    const exact = short ? this.#known.get(`=${text}`) : undefined
    if (exact !== undefined && (!fresh || exact.refreshed)) return exact
    const { catalog, searchPath } = meaning
    const shared = key === undefined ? undefined : sharedUnder(catalog).get(key, searchPath)
    if (key !== undefined && shared !== undefined) {
      const { fresh: made = [] } = catalog
      const read = { text, index: 0, searchPath, deferred: false, fresh: made, analysis: shared }
      const judged = new Judged(shared, 1, undefined, [read])
      const script: Script = { ok: true, statements: [judged], meaning, refreshed: fresh }
      this.#keep(key, script)
      return script
    }
    const script = makeScript(text, meaning, fresh, searchPath)
    if (!short) return script
    const [only, second] = script.ok ? script.statements : []
    if (key !== undefined && only !== undefined && second === undefined && only.analysis.literalFree) {
      this.#keep(key, script)
      sharedUnder(catalog).keep(key, searchPath, only.analysis)
    } else this.#keep(`=${text}`, script)
    return script
  }

  /** Without keeping it: for a part of a text, under a search_path of its own; undefined: it can't be told. */
  fresh(text: string, meaning: Meaning, searchPath: readonly string[] | undefined, deferred?: 'deferred'): Script {
    return makeScript(text, meaning, true, searchPath, deferred)
  }

  /** Estimated bytes of all that is kept. What the target described since it was kept counts as well. */
  get bytes(): number {
    let bytes = 0
    for (const [key, script] of this.#known) bytes += bytesOf(key, script)
    return bytes
  }

  #keep(key: string, script: Script): void {
    this.#last = undefined
    const own = bytesOf(key, script)
    if (own > mostBytes / 4) return
    this.#known.delete(key)
    let bytes = own + this.bytes
    // The first key is the oldest: good enough, and cheaper than moving keys on every hit.
    for (const [oldest, old] of this.#known) {
      if (this.#known.size < mostScripts && bytes <= mostBytes) break
      bytes -= bytesOf(oldest, old)
      this.#known.delete(oldest)
    }
    this.#known.set(key, script)
  }
}

function bytesOf(key: string, script: Script): number {
  // The text beside its template.
  let bytes = 256 + 4 * key.length
  if (script.ok) for (const one of script.statements) bytes += one.bytes
  return bytes
}

function makeScript(
  text: string,
  meaning: Meaning,
  refreshed: boolean,
  searchPath: readonly string[] | undefined,
  deferred?: 'deferred',
): Script {
  const analysis: Analysis = analyse(text, meaning.catalog, { searchPath, deferred: deferred !== undefined })
  if (!analysis.ok) return { ...analysis, meaning, refreshed }
  const count = analysis.statements.length
  const { fresh = [] } = meaning.catalog
  const read = { text, searchPath, deferred: deferred !== undefined, fresh }
  const statements = analysis.statements.map(
    (one, index) => new Judged(one, count, undefined, [{ ...read, index, analysis: one }]),
  )
  return { ok: true, statements, meaning, refreshed }
}

/** True when a newer catalog may know what this one did not. */
export function wantsRefresh(script: Script): boolean {
  return !script.refreshed && script.ok && script.statements.some((one) => !one.analysis.complete)
}
