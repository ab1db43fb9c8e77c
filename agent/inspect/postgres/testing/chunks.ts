import { Duplex } from 'node:stream'

/** The same stream, handing out what it reads in pieces of `size` bytes. */
export function inPieces(stream: Duplex, size: number): Duplex {
  const outer = new Duplex({
    allowHalfOpen: true,
    read: () => void stream.resume(),
    write: (chunk, _, done) => void stream.write(chunk, () => done()),
    final: (done) => void stream.end(() => done()),
    destroy: (error, done) => {
      stream.destroy()
      done(error)
    },
  })
  stream.on('data', (chunk: Buffer) => {
    let more = true
    for (let at = 0; at < chunk.length; at += size) more = outer.push(chunk.subarray(at, at + size))
    if (!more) stream.pause()
  })
  stream.on('end', () => outer.push(null))
  stream.on('error', (error) => outer.destroy(error))
  stream.on('close', () => outer.destroy())
  return outer
}
