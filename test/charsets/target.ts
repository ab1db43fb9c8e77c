import type { TestPostgres } from '../../agent/inspect/postgres/testing/postgres.ts'

/** Of PostgreSQL's client encodings, those whose letters are read here, by how many bytes their letters have. */
export const singleByte = [
  ...['LATIN1', 'LATIN2', 'LATIN3', 'LATIN4', 'LATIN5', 'LATIN6', 'LATIN7', 'LATIN8', 'LATIN9', 'LATIN10'],
  ...['ISO_8859_5', 'ISO_8859_6', 'ISO_8859_7', 'ISO_8859_8'],
  ...['WIN1250', 'WIN1251', 'WIN1252', 'WIN1253', 'WIN1254', 'WIN1255', 'WIN1256', 'WIN1257', 'WIN1258'],
  ...['WIN866', 'WIN874', 'KOI8R', 'KOI8U'],
]
export const multiByte = ['SJIS', 'BIG5', 'GBK', 'UHC', 'GB18030', 'EUC_JP', 'EUC_KR', 'EUC_CN']

export interface Unit {
  bytes: Buffer
  /** What PostgreSQL makes of these bytes, where they are a text of the encoding. */
  text: string
}

/** Every sequence of one to three bytes, and of four where the encoding has such, that PostgreSQL takes in this encoding for one letter. */
export async function unitsOf({ direct }: TestPostgres, encoding: string): Promise<Unit[]> {
  await direct(`create or replace function pg_temp.text_of(b bytea, e text) returns text language plpgsql as
    $$ begin return convert_from(b, e); exception when others then return null; end $$`)
  const bytes = (...parts: string[]) =>
    parts.reduce((all, part, i) => `set_byte(${all}, ${i}, ${part})`, `'\\x${'00'.repeat(parts.length)}'::bytea`)
  const query = (from: string, ...parts: string[]) =>
    direct(`select b, t from (select b, pg_temp.text_of(b, '${encoding}') as t from
      (select ${bytes(...parts)} as b from ${from}) x) y where t is not null`)
  const all = 'generate_series(1, 255) a'
  const found = [await query(all, 'a')]
  if (!singleByte.includes(encoding)) {
    found.push(await query('generate_series(128, 255) a, generate_series(1, 255) b', 'a', 'b'))
  }
  if (encoding === 'EUC_JP') {
    found.push(await query('generate_series(161, 255) b, generate_series(161, 255) c', '143', 'b', 'c'))
  }
  if (encoding === 'GB18030') {
    // The plane that everybody uses; what is beyond has no table.
    const digits = 'generate_series(48, 57) b, generate_series(129, 254) c, generate_series(48, 57) d'
    found.push(await query(`generate_series(129, 132) a, ${digits}`, 'a', 'b', 'c', 'd'))
  }
  return (
    found
      .flatMap(({ rows }) => rows)
      .map((row: { b: Buffer; t: string }) => ({ bytes: row.b, text: row.t }))
      // Two letters in a row are no letter.
      .filter(({ bytes: b, text }) => b.length === 1 || [...text].length === 1)
  )
}
