import ssh2 from 'ssh2'

/** In OpenSSH's format. ssh2 writes about one in 256 of its Ed25519 keys too short to be read again: those are thrown away. */
export function ed25519Pair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519')
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair
  }
}
