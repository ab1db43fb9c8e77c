import createPgQuery, { type PgQueryModule } from 'libpg-query/wasm/libpg-query.js'
import type { SyntaxProblem } from '../../shared/rpc/editor.ts'
import { utf16Offset } from '../../shared/sql/split.ts'

/**
 * PostgreSQL's own parser, for errors while writing. It is in the client core and not in the page, so that the page's content security
 * policy needs no WebAssembly and its first load no megabyte of it. An instance that threw (a statement nested too deeply) is dropped:
 * its memory can't be trusted.
 */
export class SyntaxChecker {
  private module: Promise<PgQueryModule> | undefined

  /** Where the parser stops in `sql`; undefined when it takes it, or can't tell. Never rejects for what the text is. */
  async check(sql: string): Promise<SyntaxProblem | undefined> {
    if (sql.includes('\0') || !sql.isWellFormed()) return { message: 'The statement is not valid text.', position: 0 }
    this.module ??= createPgQuery()
    const module = await this.module
    try {
      return parse(module, sql)
    } catch {
      this.module = undefined
      return { message: 'The statement is nested too deeply to be checked.', position: 0 }
    }
  }
}

function parse(module: PgQueryModule, sql: string): SyntaxProblem | undefined {
  const size = module.lengthBytesUTF8(sql) + 1
  const text = module._malloc(size)
  if (text === 0) throw new Error('out of memory')
  module.stringToUTF8(sql, text, size)
  const result = module._wasm_parse_query_raw(text)
  module._free(text)
  if (result === 0) throw new Error('out of memory')
  // struct { char *tree; char *stderr; struct { char *message, *function, *file; int line, cursor; } *error; }
  const error = module.getValue(result + 8, 'i32')
  const problem = error === 0 ? undefined : problemAt(module, error, sql)
  module._wasm_free_parse_result(result)
  return problem
}

/** The parser counts characters from 1, the editor UTF-16 units from 0. */
function problemAt(module: PgQueryModule, error: number, sql: string): SyntaxProblem {
  const cursor = module.getValue(error + 16, 'i32')
  return {
    message: module.UTF8ToString(module.getValue(error, 'i32')),
    position: cursor > 0 ? utf16Offset(sql, cursor) : 0,
  }
}
