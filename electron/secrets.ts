import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '../main/problem.ts'
import type { SecretStore } from '../main/secrets.ts'

/** The part of Electron's safeStorage that is used. */
export interface SafeStorage {
  isEncryptionAvailable(): boolean
  encryptString(plain: string): Buffer
  decryptString(encrypted: Buffer): string
  /** Linux only. `basic_text` is a key that everybody has. */
  getSelectedStorageBackend?(): string
}

/**
 * Secrets sealed by the system's keychain, one file a key in `dir`. Where there is no keychain nothing is written: secrets live as
 * long as the process, and the person signs in again after the next start. Never plain text on disk.
 */
export function keychainSecrets(storage: SafeStorage, dir: string, warn: (message: string) => void): SecretStore {
  if (!isSealing(storage)) {
    warn(
      'This system has no keychain that Sallyport can use, so the sign-in is kept until the app closes, and not on disk.',
    )
    return memorySecrets()
  }
  const file = (key: string): string => join(dir, `${Buffer.from(key).toString('base64url')}.sealed`)
  return {
    async get(key) {
      try {
        return storage.decryptString(await readFile(file(key)))
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined
        // Another keychain, another user, or a file that was tampered with: as good as none, and signing in mends it.
        warn(
          `A stored sign-in could not be opened and was set aside: ${error instanceof Error ? error.message : String(error)}`,
        )
        await rm(file(key), { force: true })
        return undefined
      }
    },
    async set(key, value) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const temporary = `${file(key)}.${process.pid}.tmp`
      await writeFile(temporary, storage.encryptString(value), { mode: 0o600 })
      await rename(temporary, file(key))
    },
    delete: (key) => rm(file(key), { force: true }),
  }
}

function isSealing(storage: SafeStorage): boolean {
  return storage.isEncryptionAvailable() && storage.getSelectedStorageBackend?.() !== 'basic_text'
}

function memorySecrets(): SecretStore {
  const kept = new Map<string, string>()
  return {
    get: async (key) => kept.get(key),
    set: async (key, value) => {
      kept.set(key, value)
    },
    delete: async (key) => {
      kept.delete(key)
    },
  }
}
