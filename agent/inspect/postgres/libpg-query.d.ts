/** The WASM module beneath libpg-query, as far as `parser.ts` uses it. The package types its wrapper alone. */
declare module 'libpg-query/wasm/libpg-query.js' {
  export interface PgQueryModule {
    readonly HEAPU8: Uint8Array
    lengthBytesUTF8(text: string): number
    stringToUTF8(text: string, pointer: number, size: number): void
    UTF8ToString(pointer: number): string
    getValue(pointer: number, type: 'i32'): number
    _malloc(size: number): number
    _free(pointer: number): void
    _wasm_parse_query_raw(sql: number): number
    _wasm_free_parse_result(result: number): void
    /** JSON, or an error's words. */
    _wasm_parse_plpgsql(sql: number): number
    _wasm_scan(sql: number): number
    _wasm_free_string(text: number): void
  }
  export interface PgQueryOptions {
    /** Makes the instance in place of the module itself. */
    instantiateWasm?(imports: WebAssembly.Imports, take: (instance: WebAssembly.Instance) => void): void
  }
  export default function create(options?: PgQueryOptions): Promise<PgQueryModule>
}

/** As far as `parser.ts` uses it; the libraries that type it are those of a page. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: 'WebAssembly.Module'
  }
  type Imports = Record<string, Record<string, unknown>>
  class Instance {
    constructor(module: Module, imports: Imports)
    readonly exports: Record<string, unknown>
  }
  function compile(bytes: Uint8Array): Promise<Module>
}
