import { performance } from 'node:perf_hooks'
import { Admitting, type Blocked } from './admitting.ts'
import type { Admission, Asked } from './asked.ts'
import { cancelledError } from './cancelled.ts'
import { withTables } from './catalog/fresh.ts'
import { after } from './changes.ts'
import { changesEncoding } from './effects.ts'
import { changedWhileHeld, meansNow } from './held-meaning.ts'
import { Holding } from './holding.ts'
import type { Line } from './line.ts'
import { uncertain } from './names.ts'
import { parserRefilling } from './parser.ts'
import { type Path, pathAfter } from './paths.ts'
import { asItRuns } from './portals.ts'
import type { Prepared } from './prepared.ts'
import { merge, unknown, unknownName } from './referred.ts'
import { freshAfter } from './sql/fresh.ts'
import type { StateReader } from './state.ts'
import { Judged, type Meaning, type Script, wantsRefresh } from './statements.ts'
import type { Run, Verdict } from './verdict.ts'
import { recodedRefusal } from './verdicts.ts'

const refreshEveryMs = 1_000

/** What the statements of a text before this one made, that none but they know of. */
type Made = Map<string, { statement: Judged; moved: Judged; text: string; path: Path }>

/** A statement with what would be decided on it. */
export interface Foreseen {
  judged: Judged
  verdict: Verdict
}

/** What is decided on the statements of a text: the first that does not run decides for all, or else the first that people are asked about. */
type Decided =
  | { kind: 'run'; runs: readonly Run[] }
  | { kind: 'hold'; index: number; judged: Judged; verdict: Extract<Verdict, { kind: 'hold' }> }
  | ({ kind: 'block' } & Blocked)

/** Everything between a statement that arrived and one that may be forwarded. Synchronous where nothing has to be waited for. */
export class Gate {
  readonly #line: Line
  readonly #state: StateReader
  readonly #holding: Holding
  readonly #admitting: Admitting
  #refreshedAt = Number.NEGATIVE_INFINITY

  constructor(line: Line, state: StateReader, interject: (notice: Buffer) => void) {
    this.#line = line
    this.#state = state
    this.#holding = new Holding(line, interject)
    this.#admitting = new Admitting(line)
  }

  /** True when a request was waiting for people, and now is not. */
  cancel(): boolean {
    return this.#holding.cancel()
  }

  /** Something has to be waited for before a name can be resolved. */
  get unsettled(): boolean {
    const line = this.#line
    if (parserRefilling() !== undefined) return true
    if (line.stateInTransaction && !line.isSettled) return true
    if (line.target.outdated) return true
    return line.stateDirty || line.catalogDirty || line.tempDirty || line.target.current === undefined
  }

  /** Takes a text apart, with the catalog and search_path that hold when it runs. */
  script(text: string): Script | Promise<Script> {
    if (this.unsettled) return this.#scriptLater(text)
    const { meaning } = this.#line
    if (meaning === undefined) return this.#scriptLater(text)
    const script = this.#line.scripts.get(text, meaning, false)
    if (wantsRefresh(script)) return this.#scriptLater(text)
    return script
  }

  /** A text in which nothing is looked up, taken apart by what is known of definitions; undefined: nothing is. */
  unnamed(text: string): Script | undefined {
    const { meaning, scripts } = this.#line
    return meaning && scripts.get(text, meaning, true)
  }

  /** A text that can't be taken apart. */
  unreadable(message: string): Script {
    const { meaning } = this.#line
    if (meaning === undefined) throw new Error('the catalog was read and is not there')
    return { ok: false, message, meaning, refreshed: true }
  }

  async #scriptLater(text: string): Promise<Script> {
    const line = this.#line
    await this.settle()
    const script = line.scripts.get(text, await this.#meaning(), false)
    if (!wantsRefresh(script)) return script
    // Something in it is not known: a newer catalog may know it.
    if (performance.now() - this.#refreshedAt > refreshEveryMs) {
      await line.target.refresh()
      this.#refreshedAt = performance.now()
    }
    return line.scripts.get(text, await this.#meaning(), true)
  }

  async #meaning(): Promise<Line['meaning'] & {}> {
    await this.#line.target.ready()
    const { meaning } = this.#line
    if (meaning === undefined) throw new Error('the catalog was read and is not there')
    return meaning
  }

  /** Reads again what earlier statements may have changed. */
  async settle(): Promise<void> {
    const line = this.#line
    await parserRefilling()
    // An error among what was sent before may change settings back.
    if (line.stateInTransaction) await line.settled()
    if (line.catalogDirty) {
      await line.settled()
      line.catalogDirty = false
      await line.target.refresh().catch((error: unknown) => {
        line.catalogDirty = true
        throw error
      })
      this.#refreshedAt = performance.now()
      line.refreshed()
    }
    // Another session's doing.
    if (line.target.outdated) await line.target.refresh()
    if (line.target.current === undefined) await line.target.ready()
    if (line.stateDirty || line.tempDirty) await this.#state.read()
  }

  /**
   * The statements of one text, each under the search_path that the ones before it leave behind, with what EXECUTE and FETCH stand
   * for by then. For the simple protocol, where several run one after the other. Where that path can't be told, names are not
   * resolved, and the analysis says so.
   */
  sequence(text: string, script: Extract<Script, { ok: true }>): readonly Judged[] | Promise<readonly Judged[]> {
    const line = this.#line
    const { statements, meaning } = script
    if (statements.length < 2) return statements
    let path: Path = 'same'
    const { catalog } = meaning
    const before = catalog.fresh ?? []
    let fresh = before
    const made: Made = new Map()
    const out: Judged[] = []
    for (const one of statements) {
      const then = fresh === before ? meaning : { ...meaning, catalog: withTables(catalog, fresh) }
      const judged = path === 'same' ? one : this.#again(text, one, then, path, statements.length)
      const { start, end, effects, refers } = judged.analysis
      // What a name stands for was read with the tables that there were before this text.
      const resolved = refers !== undefined && then !== meaning ? null : this.resolve(judged, path, made)
      if (resolved === uncertain) return (line.settled() ?? Promise.resolve()).then(() => this.sequence(text, script))
      out.push(resolved ?? judged)
      for (const effect of effects) {
        if (effect.kind !== 'prepare' && effect.kind !== 'declare') continue
        const kind = effect.kind === 'prepare' ? 'prepared' : 'cursor'
        const { reads } = resolved ?? judged
        const statement = new Judged(effect.statement, 1, undefined, reads)
        const moved = effect.kind === 'declare' ? new Judged(effect.moved, 1, undefined, reads) : statement
        made.set(`${kind} ${effect.name}`, { statement, moved, text: text.slice(start, end), path })
      }
      fresh = (resolved ?? judged).analysis.effects.reduce(freshAfter, fresh)
      if (resolved === null) path = 'lost'
      else for (const effect of resolved.analysis.effects) path = pathAfter(path, effect, line)
    }
    return out
  }

  #again(text: string, one: Judged, meaning: Script['meaning'], path: Exclude<Path, 'same'>, count: number): Judged {
    const { start, end } = one.analysis
    const [only] = this.#read(text.slice(start, end), meaning, path)
    if (only === undefined) throw new Error('a statement of a text that was read cannot be read by itself')
    return new Judged({ ...only.analysis, start, end }, count, undefined, only.reads)
  }

  #read(text: string, meaning: Script['meaning'], path: Path): readonly Judged[] {
    const searchPath = path === 'same' ? meaning.searchPath : path === 'lost' ? undefined : path
    const script = this.#line.scripts.fresh(text, meaning, searchPath)
    return script.ok ? script.statements : []
  }

  /**
   * What EXECUTE and FETCH stand for under that search_path; null when it is not known; `uncertain` when the target has not said yet.
   * Names in a prepared statement are looked up when it runs, those in a cursor's were when it was opened.
   */
  resolve(judged: Judged, path: Path, made: Made): Judged | null | typeof uncertain {
    const { refers } = judged.analysis
    if (refers === undefined) return judged
    const { statements, portals, segment, confirmed, meaning } = this.#line
    if (meaning === undefined) return uncertain
    const own = made.get(`${refers.kind} ${refers.name}`)
    if (own !== undefined) {
      if (own.path === path) return merge(judged, own.statement)
      const again = refers.kind === 'cursor' ? own.moved : this.#preparedBy(own.text, meaning, path)
      return again === undefined ? null : merge(judged, again)
    }
    const found =
      refers.kind === 'prepared'
        ? statements.read(refers.name, segment, confirmed)
        : portals.read(refers.name, segment, confirmed)
    if (found === uncertain) return uncertain
    if (found?.judged === undefined || (found.shaken && this.#line.judge.anyMasked(meaning))) return null
    if ('prepared' in found) {
      const portal = asItRuns(found, path, this.#line)
      return portal === undefined ? null : merge(judged, portal)
    }
    const current = path === 'same' ? this.renewed(found) : this.#under(found, meaning, path)
    return current === undefined ? null : merge(judged, current)
  }

  #under({ text, bySql }: Prepared, meaning: Script['meaning'], path: Path): Judged | undefined {
    if (bySql) return this.#preparedBy(text, meaning, path)
    const [only, second] = this.#read(text, meaning, path)
    return second === undefined ? only : undefined
  }

  /** What the PREPARE that is `text` stands for. */
  #preparedBy(text: string, meaning: Script['meaning'], path: Path): Judged | undefined {
    const [only, second] = this.#read(text, meaning, path)
    if (only === undefined || second !== undefined) return undefined
    const prepare = only.analysis.effects.find(({ kind }) => kind === 'prepare')
    return prepare?.kind === 'prepare' ? new Judged(prepare.statement, 1, undefined, only.reads) : undefined
  }

  /** A prepared statement as it reads now: the target plans it anew when definitions or search_path change. */
  renewed(prepared: Prepared): Judged | undefined {
    const { meaning } = this.#line
    if (meaning === undefined || prepared.meaning === meaning) return prepared.judged
    const judged = prepared.bySql ? this.#preparedAgain(prepared, meaning) : this.#parsedAgain(prepared, meaning)
    if (judged === undefined) return undefined
    prepared.meaning = meaning
    prepared.judged = judged
    return judged
  }

  #parsedAgain({ text }: Prepared, meaning: Script['meaning']): Judged | undefined {
    const script = this.#line.scripts.get(text, meaning, true)
    const [only, second] = script.ok ? script.statements : []
    return second === undefined ? only : undefined
  }

  #preparedAgain({ text, judged }: Prepared, meaning: Script['meaning']): Judged | undefined {
    if (judged === undefined) return undefined
    const statement = this.#preparedBy(text, meaning, 'same')
    return statement && new Judged(statement.analysis, judged.count, undefined, statement.reads)
  }

  /** Decides, asks people where policy says so, and puts it on the recording. */
  admit(asked: Asked): Admission | Promise<Admission> {
    const admission = this.#admit(asked)
    return admission instanceof Promise ? admission.then((one) => this.#unlessCancelled(one)) : admission
  }

  /** What the client cancelled while it waited is on the recording as one that did not run. */
  #unlessCancelled(admission: Admission): Admission {
    const line = this.#line
    if (!line.cancelled || !admission.ok) return admission
    line.notRun(admission.executions, 'cancelled')
    return { ok: false, error: cancelledError }
  }

  #admit(asked: Asked): Admission | Promise<Admission> {
    const line = this.#line
    const { meaning } = line
    if (meaning === undefined) return this.settle().then(() => this.#admit(asked))
    const [first] = asked.statements
    if (first !== undefined && asked.statements.length === 1 && first.analysis.refers === undefined) {
      const verdict = line.judge.judge(first, meaning, line)
      if (verdict.kind === 'run') return this.#admitting.one(asked, first, verdict.run)
    }
    const resolved: Judged[] = []
    for (const one of asked.statements) {
      const judged = this.resolve(one, 'same', new Map())
      if (judged === uncertain) return (line.settled() ?? Promise.resolve()).then(() => this.#admit(asked))
      if (judged === null && line.judge.anyMasked(meaning)) return { ok: false, error: unknownName(one.analysis) }
      resolved.push(judged ?? unknown(one))
    }
    const decided = this.#decide(resolved, meaning, new Set())
    if (decided.kind === 'block') return this.#admitting.blocked(asked, decided)
    if (decided.kind === 'hold') return this.#hold(asked, resolved)
    return this.#admitting.all(asked, resolved, decided.runs)
  }

  /** What would be decided on each statement of a text, of which nothing is forwarded. */
  async foresee(text: string, script: Extract<Script, { ok: true }>): Promise<readonly Foreseen[]> {
    const { judge } = this.#line
    const { meaning } = script
    const statements = (await this.sequence(text, script)).map((one) =>
      // With something masked, a name that stands for nothing is refused as such.
      one.analysis.refers === undefined || judge.anyMasked(meaning) ? one : unknown(one),
    )
    return [...this.#verdicts(statements, meaning)]
  }

  /** Verdicts on statements that run one after the other. */
  *#verdicts(statements: readonly Judged[], meaning: Meaning): Generator<Foreseen> {
    const { judge } = this.#line
    let recoded = false
    let then = meaning
    for (const judged of statements) {
      const verdict = judge.judge(judged, then, this.#line)
      then = after(then, judged)
      const masked = recoded && verdict.kind !== 'block' ? verdict.run.masked : []
      const { epoch } = verdict
      yield masked.length === 0
        ? { judged, verdict }
        : { judged, verdict: { epoch, kind: 'block', refusal: recodedRefusal(masked) } }
      recoded ||= judged.analysis.effects.some(changesEncoding)
    }
  }

  /** Decides on statements that run one after the other. `agreed`: policies whose people have. */
  #decide(statements: readonly Judged[], meaning: Meaning, agreed: ReadonlySet<string>): Decided {
    const runs: Run[] = []
    let hold: Extract<Decided, { kind: 'hold' }> | undefined
    let index = -1
    for (const { judged, verdict } of this.#verdicts(statements, meaning)) {
      index++
      if (verdict.kind === 'block') return { kind: 'block', index, judged, refusal: verdict.refusal }
      if (verdict.kind === 'hold' && !agreed.has(verdict.policy.id)) hold ??= { kind: 'hold', index, judged, verdict }
      runs.push(verdict.run)
    }
    return hold ?? { kind: 'run', runs }
  }

  /** Asks people, one policy after the other, and decides again before it runs. */
  async #hold(asked: Asked, statements: readonly Judged[]): Promise<Admission> {
    const line = this.#line
    const agreed = new Set<string>()
    const numbers: number[] = []
    const before = line.meaning && meansNow(statements, line.meaning)
    for (;;) {
      const { meaning } = line
      if (meaning === undefined) throw new Error('the catalog went away')
      const decided = this.#decide(statements, meaning, agreed)
      if (decided.kind === 'block') return this.#admitting.blocked(asked, decided)
      if (decided.kind === 'run') {
        if ((await this.#meansNow(asked)) === before)
          return this.#admitting.all(asked, statements, decided.runs, numbers)
        const [judged] = statements
        if (judged === undefined) throw new Error('a request without a statement was held')
        return this.#admitting.blocked(asked, { index: 0, judged, refusal: changedWhileHeld })
      }
      const refusal = await this.#holding.ask(asked, statements, decided, numbers)
      if (refusal !== undefined) return { ok: false, error: refusal }
      agreed.add(decided.verdict.policy.id)
    }
  }

  async #meansNow(asked: Asked): Promise<string | undefined> {
    // It may have been a while.
    await this.#line.target.refresh()
    await this.settle()
    const again = (await asked.again?.()) ?? asked.statements
    const { meaning } = this.#line
    if (meaning === undefined) return undefined
    const now = again.map((one) => {
      const resolved = this.resolve(one, 'same', new Map())
      return resolved instanceof Judged ? resolved : unknown(one)
    })
    return meansNow(now, meaning)
  }
}
