import type { RpcClient } from '../../rpc/client.ts'
import type { Transport } from './socket.ts'

/** A desktop session's bytes, by RPC. */
export function rpcTransport(client: RpcClient, id: string): Transport {
  return {
    read: async (signal) => decoded(await client.desktop.view({ id }, { signal })),
    send: async (bytes) => {
      await client.desktop.send({ id, data: encode(bytes) })
    },
  }
}

async function* decoded(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) yield Uint8Array.from(atob(chunk), (c) => c.charCodeAt(0))
}

const step = 0x8000

function encode(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += step) text += String.fromCharCode(...bytes.subarray(at, at + step))
  return btoa(text)
}
