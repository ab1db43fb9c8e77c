import type { KeyObject } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isMissing } from '../recordings/reader.ts'
import { type ChainPosition, isSigned } from './chain.ts'

/**
 * The newest record, noted beside the store: a chain cut off at its end is a valid chain, and only this tells.
 * One file, written at most once a second.
 */
const Head = z.object({ seq: z.number().int().min(1), hash: z.string().length(64), signature: z.string() })
type Head = z.infer<typeof Head>

const fileName = 'audit-head.json'
const delayMs = 500

export class AuditHead {
  readonly #file: string
  #next: Head | undefined
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  readonly #failed: (error: unknown) => void

  constructor(dataDir: string, failed: (error: unknown) => void) {
    this.#file = join(dataDir, fileName)
    this.#failed = failed
  }

  note(head: Head): void {
    this.#next = { seq: head.seq, hash: head.hash, signature: head.signature }
    this.#timer ??= setTimeout(() => void this.flush(), delayMs)
  }

  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write()).catch(this.#failed)
    return this.#writing
  }

  /** Undefined when nothing was ever noted here. Throws when the file was changed by something else. */
  async read(key: KeyObject): Promise<ChainPosition | undefined> {
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    const head = Head.parse(JSON.parse(text))
    if (!isSigned(head.hash, head.signature, key)) throw new Error(`${fileName}: its signature is not this gateway’s`)
    return head
  }

  async #write(): Promise<void> {
    const head = this.#next
    if (head === undefined) return
    this.#next = undefined
    await writeFile(`${this.#file}.new`, `${JSON.stringify(head)}\n`, { mode: 0o600 })
    await rename(`${this.#file}.new`, this.#file)
  }
}
