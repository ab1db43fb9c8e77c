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
  export default function create(): Promise<PgQueryModule>
}
