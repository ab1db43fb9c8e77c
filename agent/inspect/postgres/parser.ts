import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Node, ParseResult, RawStmt } from 'libpg-query'
import createPgQuery, { type PgQueryModule } from 'libpg-query/wasm/libpg-query.js'

/**
 * PostgreSQL's own parser, in WASM.
 *
 * We hold the module ourselves rather than through libpg-query's wrapper: a statement nested too deeply overflows the stack
 * inside it, and that leaves its memory inconsistent (after some 25 of them it calls through wild pointers). A parser that
 * decides what is let through must not go on like that, so an instance that threw is dropped and a spare takes over.
 */

/** Parsing costs 0.3 ms for each KiB of rows; longer statements would hold up every other session. Bulk data belongs in COPY. */
export const longestStatement = 2 * 1024 * 1024
/** The memory of an instance only grows. One that has grown beyond this is replaced. */
const largestHeap = 512 * 1024 * 1024

export const tooLong = `The statement has more than ${longestStatement} characters and can't be read here. Its values may be longer: send them as parameters, write them in '…', or load them with COPY. Or send fewer rows at once.`

export type Parsed =
  | { ok: true; statements: readonly RawStatement[] }
  /** `position`: UTF-16 offset where the parser stopped. */
  | { ok: false; message: string; position?: number }

/** `start` and `end` are UTF-16 offsets into the text. */
export interface RawStatement {
  node: Node
  start: number
  end: number
}

/** Two instances: one in use, one to take over. */
const instances = 2

class Parser {
  #compiled: Promise<WebAssembly.Module> | undefined
  #ready: PgQueryModule[] = []
  #refilling: Promise<void> | undefined

  /** Rejects when the module can't be loaded. */
  async fill(): Promise<void> {
    this.#compiled ??= compile()
    const compiled = await this.#compiled
    while (this.#ready.length < instances) this.#ready.push(await instanceOf(compiled))
  }

  /** Resolves when what was dropped has been replaced; undefined: nothing was. */
  get refilling(): Promise<void> | undefined {
    return this.#refilling
  }

  /** PL/pgSQL's own tree of a CREATE FUNCTION; undefined when it can't be read. */
  plpgsql(definition: string): unknown {
    const module = this.#ready[0]
    if (!module) {
      this.#refill()
      return undefined
    }
    try {
      return runPlpgsql(module, definition)
    } catch {
      this.#drop()
      return undefined
    }
  }

  parse(sql: string): Parsed {
    const module = this.#ready[0]
    if (!module) {
      this.#refill()
      return {
        ok: false,
        message: 'The SQL parser restarts after a statement that it could not hold. Run this one again.',
      }
    }
    let outcome: Parsed
    try {
      outcome = run(module, sql)
    } catch {
      // Whatever it was (stack, heap, a string beyond the engine's limit), the instance can't be trusted any more.
      this.#drop()
      return { ok: false, message: 'The statement is nested too deeply, or too large, to be analysed.' }
    }
    if (module.HEAPU8.byteLength > largestHeap) this.#drop()
    return outcome
  }

  scan(sql: string): Scanned {
    const module = this.#ready[0]
    if (!module) {
      this.#refill()
      return { kind: 'fault' }
    }
    try {
      return runScan(module, sql)
    } catch {
      this.#drop()
      return { kind: 'fault' }
    }
  }

  #drop(): void {
    this.#ready.shift()
    this.#refill()
  }

  #refill(): void {
    const done = () => {
      this.#refilling = undefined
    }
    // A failure leaves `#ready` short; the next statement tries again, and with none ready every statement is refused.
    this.#refilling ??= this.fill().then(done, done)
  }
}

const parser = new Parser()
let loading: Promise<void> | undefined

/** Loads PostgreSQL's parser. Resolves once `parse` may be called; calling it again costs nothing. */
export function loadParser(): Promise<void> {
  loading ??= parser.fill()
  return loading
}

/** Resolves when an instance that was dropped has been replaced, so that no text is read otherwise for what came before it; undefined: none is missing. */
export function parserRefilling(): Promise<void> | undefined {
  return parser.refilling
}

/** Parses a query string into its statements. Never throws. */
export function parse(sql: string): Parsed {
  if (sql.length > longestStatement) {
    return {
      ok: false,
      message: tooLong,
    }
  }
  // What the server reads must be what we read: C ends a text at NUL, and a lone surrogate has no UTF-8 form.
  if (sql.includes('\0') || !sql.isWellFormed()) return { ok: false, message: 'The statement is not valid text.' }
  return parser.parse(sql)
}

/** One token, as PostgreSQL's scanner has it. `start` and `end` count bytes of UTF-8. */
export interface Token {
  start: number
  end: number
  name: string
  text: string
}

export type Scanned =
  | { kind: 'tokens'; tokens: readonly Token[] }
  /** It is none: nothing that parses reads so. */
  | { kind: 'error' }
  /** It can't be told. */
  | { kind: 'fault' }

/** The tokens of a text, comments among them. Never throws. */
export function scan(sql: string): Scanned {
  if (sql.length > longestStatement || sql.includes('\0') || !sql.isWellFormed()) return { kind: 'error' }
  return parser.scan(sql)
}

const longestBody = 256 * 1024

/** As libpg_query has it: `{"plpgsql_funcs": […]}`. Undefined: it can't be read. Never throws. */
export function parsePlpgsql(definition: string): unknown {
  if (definition.length > longestBody || definition.includes('\0') || !definition.isWellFormed()) return undefined
  return parser.plpgsql(definition)
}

/** Compiled once, and kept with the machine code that it has become. */
async function compile(): Promise<WebAssembly.Module> {
  const file = createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm')
  return WebAssembly.compile(await readFile(file))
}

/** There before the event loop turns: no other session finds none because of what one has sent. */
function instanceOf(compiled: WebAssembly.Module): Promise<PgQueryModule> {
  return createPgQuery({
    instantiateWasm(imports, take) {
      take(new WebAssembly.Instance(compiled, imports))
    },
  })
}

function runPlpgsql(module: PgQueryModule, definition: string): unknown {
  const size = module.lengthBytesUTF8(definition) + 1
  const text = module._malloc(size)
  if (text === 0) throw new Error('out of memory')
  module.stringToUTF8(definition, text, size)
  const result = module._wasm_parse_plpgsql(text)
  module._free(text)
  if (result === 0) throw new Error('out of memory')
  const answer = module.UTF8ToString(result)
  module._wasm_free_string(result)
  return answer.startsWith('{') ? JSON.parse(answer) : undefined
}

function run(module: PgQueryModule, sql: string): Parsed {
  const size = module.lengthBytesUTF8(sql) + 1
  const text = module._malloc(size)
  if (text === 0) throw new Error('out of memory')
  module.stringToUTF8(sql, text, size)
  const result = module._wasm_parse_query_raw(text)
  module._free(text)
  if (result === 0) throw new Error('out of memory')
  // struct { char *tree; char *stderr; struct { char *message, *function, *file; int line, cursor; } *error; }
  const error = module.getValue(result + 8, 'i32')
  let outcome: Parsed
  if (error !== 0) {
    const message = module.UTF8ToString(module.getValue(error, 'i32'))
    const cursor = module.getValue(error + 16, 'i32')
    outcome = cursor > 0 ? { ok: false, message, position: Math.min(cursor - 1, sql.length) } : { ok: false, message }
  } else {
    const tree: ParseResult = JSON.parse(module.UTF8ToString(module.getValue(result, 'i32')))
    outcome = { ok: true, statements: locate(tree.stmts ?? [], sql, size - 1) }
  }
  module._wasm_free_parse_result(result)
  return outcome
}

function runScan(module: PgQueryModule, sql: string): Scanned {
  const size = module.lengthBytesUTF8(sql) + 1
  const text = module._malloc(size)
  if (text === 0) throw new Error('out of memory')
  module.stringToUTF8(sql, text, size)
  const result = module._wasm_scan(text)
  module._free(text)
  if (result === 0) throw new Error('out of memory')
  const found = module.UTF8ToString(result)
  module._wasm_free_string(result)
  // Anything else is an error in words.
  if (!found.startsWith('{')) return { kind: 'error' }
  const { tokens }: { tokens: readonly (Omit<Token, 'name'> & { tokenName: string })[] } = JSON.parse(escaped(found))
  return {
    kind: 'tokens',
    tokens: tokens.map(({ start, end, tokenName, text: own }) => ({ start, end, name: tokenName, text: own })),
  }
}

/** The scanner's control characters stand within its strings as they are, which is no JSON. It writes none between. */
function escaped(json: string): string {
  return json.replaceAll(control, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const control = /\p{Cc}/gu

/** The parser counts bytes of UTF-8, we count UTF-16. */
function locate(stmts: readonly RawStmt[], sql: string, bytes: number): RawStatement[] {
  const at = bytes === sql.length ? (byte: number) => byte : utf16Offsets(sql)
  const statements: RawStatement[] = []
  for (const { stmt, stmt_location: location = 0, stmt_len: length = 0 } of stmts) {
    if (!stmt) continue
    const start = at(location)
    statements.push({ node: stmt, start, end: length === 0 ? sql.length : at(location + length) })
  }
  return statements
}

/** Maps ascending byte offsets in one pass over the text. */
function utf16Offsets(sql: string): (byte: number) => number {
  let index = 0
  let byte = 0
  return (target) => {
    while (byte < target && index < sql.length) {
      const code = sql.codePointAt(index) ?? 0
      index += code > 0xffff ? 2 : 1
      byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    }
    return index
  }
}

type Tag = Node extends infer N ? (N extends object ? keyof N : never) : never
type Body<T extends Tag> = Extract<Node, Record<T, unknown>> extends Record<T, infer B> ? B : never
/** A node of the tree, opened: `tag` is libpg_query's node name, `node` its fields. */
export type Opened = { [T in Tag]: { tag: T; node: Body<T> } }[Tag]

/** The one key of a node names its kind; undefined for the empty object that stands for a NULL pointer in a list. */
export function open(node: Node): Opened | undefined {
  for (const entry of Object.entries(node)) return pair(entry)
  return undefined
}

/** TypeScript can't follow a union's key to its value; the parser's output is what the types describe. */
function pair([tag, node]: [string, unknown]): Opened {
  return { tag, node } as Opened
}

/** Every object and list of a tree, whatever they are, itself among them. */
export function* objects(root: unknown): Generator<object> {
  const stack: unknown[] = [root]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next !== 'object' || next === null) continue
    yield next
    for (const child of Object.values(next)) if (child !== undefined) stack.push(child)
  }
}

/** The strings of a name list (`schema.name`), without what is not a string. */
export function strings(nodes: readonly Node[] | undefined): string[] {
  const out: string[] = []
  for (const node of nodes ?? []) if ('String' in node) out.push(node.String.sval ?? '')
  return out
}
