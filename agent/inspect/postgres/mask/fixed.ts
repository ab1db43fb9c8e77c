/**
 * Values that stand for masked ones where NULL would not do: the zero of their type, in text and binary format. Dates and times are
 * the first moment of the year 2000, as DateStyle ISO writes it.
 */
export interface Fixed {
  readonly text: Buffer
  readonly binary: Buffer
}

const zeros = (length: number): Buffer => Buffer.alloc(length)

const entries: readonly (readonly [oid: number, text: string, binary: Buffer])[] = [
  [16, 'f', zeros(1)], // bool
  [17, '\\x', zeros(0)], // bytea
  [20, '0', zeros(8)], // int8
  [21, '0', zeros(2)], // int2
  [23, '0', zeros(4)], // int4
  [26, '0', zeros(4)], // oid
  [700, '0', zeros(4)], // float4
  [701, '0', zeros(8)], // float8
  [1700, '0', zeros(8)], // numeric: no digits, weight 0, positive, scale 0
  [1082, '2000-01-01', zeros(4)], // date: days since
  [1083, '00:00:00', zeros(8)], // time
  [1266, '00:00:00+00', zeros(12)], // timetz
  [1114, '2000-01-01 00:00:00', zeros(8)], // timestamp: microseconds since
  [1184, '2000-01-01 00:00:00+00', zeros(8)], // timestamptz
  [1186, '00:00:00', zeros(16)], // interval
  [2950, '00000000-0000-0000-0000-000000000000', zeros(16)], // uuid
  [114, 'null', Buffer.from('null')], // json
  [3802, 'null', Buffer.from('\u0001null')], // jsonb
  // inet, cidr: family, bits, is_cidr, length, address
  [869, '0.0.0.0', Buffer.from([2, 32, 0, 4, 0, 0, 0, 0])],
  [650, '0.0.0.0/32', Buffer.from([2, 32, 1, 4, 0, 0, 0, 0])],
  [829, '00:00:00:00:00:00', zeros(6)], // macaddr
  [774, '00:00:00:00:00:00:00:00', zeros(8)], // macaddr8
  // Arrays of none: dimensions, flags, type of their elements.
  ...[
    [1000, 16],
    [1005, 21],
    [1007, 23],
    [1016, 20],
    [1021, 700],
    [1022, 701],
    [1231, 1700],
    [1009, 25],
    [1015, 1043],
    [1014, 1042],
    [1182, 1082],
    [1115, 1114],
    [1185, 1184],
    [2951, 2950],
    [199, 114],
    [3807, 3802],
  ].map(([array = 0, element = 0]): readonly [number, string, Buffer] => {
    const binary = Buffer.alloc(12)
    binary.writeInt32BE(element, 8)
    return [array, '{}', binary]
  }),
]

const byOid: ReadonlyMap<number, Fixed> = new Map(
  entries.map(([oid, text, binary]) => [oid, { text: Buffer.from(text), binary }]),
)

/** Undefined: there is none for this type, and it becomes NULL. */
export function fixedOf(typeOid: number): Fixed | undefined {
  return byOid.get(typeOid)
}
