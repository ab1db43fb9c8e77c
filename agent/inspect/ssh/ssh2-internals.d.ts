/**
 * The part of ssh2 that this inspector builds on: key exchange and ciphers. ssh2 publishes no types for it;
 * the version is pinned, and transport.test.ts fails when one of these changes shape.
 */
declare module 'ssh2/lib/protocol/Protocol.js' {
  interface AlgorithmOffer {
    kex: string[]
    serverHostKey: string[]
    cs: { cipher: string[]; mac: string[]; compress: string[]; lang: string[] }
    sc: { cipher: string[]; mac: string[]; compress: string[]; lang: string[] }
  }

  interface NegotiatedDirection {
    cipher: string
    mac: string
    compress: string
  }

  interface Negotiated {
    kex: string
    serverHostKey: string
    cs: NegotiatedDirection
    sc: NegotiatedDirection
  }

  interface ProtocolConfig {
    server: boolean
    hostKeys?: Record<string, import('ssh2').ParsedKey>
    ident: string
    offer: AlgorithmOffer
    onWrite(data: Buffer): void
    onError(error: Error): void
    onHandshakeComplete(negotiated: Negotiated): void
    /** Returns whether the host may be trusted. Called in every key exchange. */
    hostVerifier?(key: Buffer): boolean
  }

  class Protocol {
    constructor(config: ProtocolConfig)
    start(): void
    /** Throws on malformed input. */
    parse(chunk: Buffer, from: number, to: number): void
    cleanup(): void
    disconnect(reason: number): void
    /** Undefined once `cleanup` ran or a fatal error was reported. */
    _destruct: (() => void) | undefined
    /** Set while keys are being exchanged. */
    _kexinit: Buffer | undefined
    _kex: { sessionID: Buffer } | undefined
    /** Gets every decrypted payload outside a key exchange. Must be replaced before `start`. */
    _onPayload: (payload: Buffer) => number | boolean | undefined
    _packetRW: {
      write: { readonly allocStart: number; alloc(length: number): Buffer; finalize(packet: Buffer): Buffer }
    }
  }

  export default Protocol
  export type { AlgorithmOffer, Negotiated }
}

declare module 'ssh2/lib/protocol/utils.js' {
  const utils: {
    sendPacket(protocol: import('ssh2/lib/protocol/Protocol.js').default, packet: Buffer): boolean
    /** From what a key's `sign` returns to what SSH puts on the wire; false or undefined when it can't. */
    convertSignature(signature: Buffer, keyType: string): Buffer | false | undefined
  }
  export default utils
}

declare module 'ssh2/lib/protocol/crypto.js' {
  const crypto: { readonly bindingAvailable: boolean; readonly init: Promise<void> }
  export default crypto
}
