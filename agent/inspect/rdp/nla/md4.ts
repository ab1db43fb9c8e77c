/** MD4 (RFC 1320), which OpenSSL 3 no longer has. Nothing but NTLM's password hash may use it. */
export function md4(message: Uint8Array): Buffer {
  const blocks = (message.length + 8) >> 6
  const padded = Buffer.alloc((blocks + 1) * 64)
  padded.set(message)
  padded[message.length] = 0x80
  padded.writeUInt32LE((message.length << 3) >>> 0, padded.length - 8)
  padded.writeUInt32LE(Math.floor(message.length / 0x20000000), padded.length - 4)
  const state: State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
  for (let at = 0; at < padded.length; at += 64) block(state, padded.subarray(at, at + 64))
  const out = Buffer.alloc(16)
  for (const [i, word] of state.entries()) out.writeUInt32LE(word >>> 0, i * 4)
  return out
}

type State = [number, number, number, number]
interface Round {
  mix(x: number, y: number, z: number): number
  add: number
  /** Which words, in which order. */
  words: readonly number[]
  shifts: readonly [number, number, number, number]
}

const rounds: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    add: 0,
    words: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    shifts: [3, 7, 11, 19],
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    add: 0x5a827999,
    words: [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
    shifts: [3, 5, 9, 13],
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    add: 0x6ed9eba1,
    words: [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
    shifts: [3, 9, 11, 15],
  },
]

function block(state: State, bytes: Buffer): void {
  let [a, b, c, d] = state
  for (const { mix, add, words, shifts } of rounds) {
    for (const [i, word] of words.entries()) {
      const sum = (a + mix(b, c, d) + bytes.readUInt32LE(word * 4) + add) | 0
      const shift = shifts[i & 3] ?? 0
      ;[a, d, c, b] = [d, c, b, (sum << shift) | (sum >>> (32 - shift))]
    }
  }
  state[0] = (state[0] + a) | 0
  state[1] = (state[1] + b) | 0
  state[2] = (state[2] + c) | 0
  state[3] = (state[3] + d) | 0
}
