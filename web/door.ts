import { randomBytes, timingSafeEqual } from 'node:crypto'

const keyMs = 2 * 60_000

/** Who may use the browser shell: holders of a cookie, which is had for a key, which works once and for two minutes. */
export class Door {
  private readonly cookie: string
  private readonly keys = new Map<string, number>()
  private readonly sessions: string[] = []
  private readonly now: () => number

  /** Cookies do not know ports, so the name has it. */
  constructor(port: number, now: () => number = Date.now) {
    this.cookie = `sallyport_${port}`
    this.now = now
  }

  /** A new key, for a link. */
  key(): string {
    const key = randomBytes(32).toString('base64url')
    this.keys.set(key, this.now() + keyMs)
    return key
  }

  /** The Set-Cookie value that a key is worth; undefined when it is unknown, used or late. */
  enter(key: string): string | undefined {
    const known = [...this.keys.keys()].find((k) => same(k, key))
    if (known === undefined) return undefined
    const until = this.keys.get(known) ?? 0
    this.keys.delete(known)
    if (until < this.now()) return undefined
    const session = randomBytes(32).toString('base64url')
    this.sessions.push(session)
    return `${this.cookie}=${session}; HttpOnly; SameSite=Strict; Path=/`
  }

  /** Whether a Cookie header holds a session of ours. */
  knows(header: string | undefined): boolean {
    const prefix = `${this.cookie}=`
    const values = (header ?? '').split(';').map((part) => part.trim())
    return values.some(
      (value) => value.startsWith(prefix) && this.sessions.some((s) => same(s, value.slice(prefix.length))),
    )
  }
}

function same(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
