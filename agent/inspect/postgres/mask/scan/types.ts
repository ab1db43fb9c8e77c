import type { FieldMask } from '../rows.ts'
import { maskArray, maskText } from './array.ts'
import { type Finder, maskJson } from './json.ts'

/** Of PostgreSQL's own types, those in which no detector could find anything; their arrays neither. */
const wordless = new Set(
  `bool char int2 int4 int8 float4 float8 numeric money oid xid xid8 cid tid date time timetz timestamp timestamptz interval uuid bit varbit
  bytea inet cidr macaddr macaddr8 point line lseg box path polygon circle regclass regtype regproc pg_lsn txid_snapshot pg_snapshot
  int4range int8range numrange tsrange tstzrange daterange`.split(/\s+/),
)

/** A type that is not known here may. */
export function holdsText(typeName: string | undefined): boolean {
  return typeName === undefined || !wordless.has(typeName.replace(/^_/, ''))
}

type Dress = 'text' | 'json' | 'text-array' | 'json-array'

const byOid: ReadonlyMap<number, Dress> = new Map<number, Dress>([
  // text varchar bpchar name xml; json jsonb
  ...[25, 1043, 1042, 19, 142].map((oid): [number, Dress] => [oid, 'text']),
  ...[114, 3802].map((oid): [number, Dress] => [oid, 'json']),
  ...[1009, 1015, 1014, 1003, 143].map((oid): [number, Dress] => [oid, 'text-array']),
  ...[199, 3807].map((oid): [number, Dress] => [oid, 'json-array']),
])

const byName: ReadonlyMap<string, Dress> = new Map<string, Dress>([
  ...['text', 'varchar', 'bpchar', 'name', 'xml', 'citext'].map((name): [string, Dress] => [name, 'text']),
  ...['json', 'jsonb'].map((name): [string, Dress] => [name, 'json']),
  ...['_text', '_varchar', '_bpchar', '_name', '_xml', '_citext'].map((name): [string, Dress] => [name, 'text-array']),
  ...['_json', '_jsonb'].map((name): [string, Dress] => [name, 'json-array']),
])

/**
 * How values of a type are searched, in either format; undefined: they can't be. `typeName` is the catalog's, for types whose
 * number is not fixed.
 */
export function scanOf(
  typeOid: number | undefined,
  typeName: string | undefined,
  finder: Finder,
): FieldMask | undefined {
  const find = escapesUndone(finder)
  const dress = (typeOid === undefined ? undefined : byOid.get(typeOid)) ?? byName.get(typeName ?? '')
  switch (dress) {
    case 'text':
      return { kind: 'rewrite', text: find, bytes: ofText(find) }
    case 'json': {
      const mask = (text: string): string => maskJson(text, find)
      return { kind: 'rewrite', text: mask, bytes: ofText(mask) }
    }
    case 'text-array':
      return { kind: 'rewrite', text: (text) => maskText(text, find), bytes: (value) => maskArray(value, find) }
    case 'json-array': {
      const mask = (text: string): string => maskJson(text, find)
      return { kind: 'rewrite', text: (text) => maskText(text, mask), bytes: (value) => maskArray(value, mask) }
    }
    default:
      return undefined
  }
}

/** What stays as it is keeps its bytes: not all of them need be UTF-8. */
function ofText(mask: Finder): (value: Buffer) => Buffer {
  return (value) => {
    const said = value.toString('utf8')
    const masked = mask(said)
    return masked === said ? value : Buffer.from(masked, 'utf8')
  }
}

/** `\u0040` of JSON, `%40` of an address, `&#64;` and `&#x40;` of XML. */
const escapes = /\\+u00([2-7][\da-f])|%([2-7][\da-f])|&#x([2-7][\da-f]);|&#(\d{2,3});/gi

/**
 * A document may come as text, within a text, or within a string of another document, each time with one more backslash; an address has
 * escapes of its own.
 */
function escapesUndone(find: Finder): Finder {
  return (text) => {
    const masked = find(text)
    if (!/\\u00|%|&#/i.test(masked)) return masked
    const plain = masked.replaceAll(escapes, (written, json?: string, url?: string, hex?: string, decimal?: string) => {
      const code = decimal === undefined ? Number.parseInt(json ?? url ?? hex ?? '', 16) : Number(decimal)
      const letter = String.fromCharCode(code)
      // What would end a string or a tag, or escape something, stays as it is, and so does what can't be seen.
      return code < 0x20 || code > 0x7e || '"\\<&'.includes(letter) ? written : letter
    })
    const found = find(plain)
    return found === plain ? masked : found
  }
}
