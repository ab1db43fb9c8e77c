import type { AccessRequest, GatewayEvent } from '../../shared/api/models.ts'
import type { NoticeEvent, WaitingRequest } from '../../shared/rpc/notice.ts'
import { messageOf } from '../problem.ts'
import { Broadcast } from '../watched.ts'
import { isToReviewAfterwards, noticeOf } from './words.ts'

/** Asks the gateway for the requests that wait for this person: to be decided, and to be reviewed afterwards. */
export type WaitingList = (signal: AbortSignal) => Promise<readonly AccessRequest[]>

/** Requests whose last notice is remembered, so that an event that comes twice is told once. */
const remembered = 500

/** Turns the gateway's events into what the system tells a person: notices, and what waits for them. */
export class Teller {
  readonly #events = new Broadcast<NoticeEvent>()
  readonly #warn: (message: string) => void
  #told = new Map<string, string>()
  #waiting = new Map<string, WaitingRequest>()
  #reading: Reading | undefined
  #me: { id: string; list: WaitingList } | undefined

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** What waits now, then all that is to be told. */
  read(signal: AbortSignal | undefined): AsyncGenerator<NoticeEvent, void, void> {
    return this.#events.read(signal, [this.#waitingEvent()])
  }

  /** This person's events come from now on. */
  enter(id: string, list: WaitingList): void {
    this.#me = { id, list }
  }

  /** Nobody is signed in: nothing waits, and what is on the screen goes. */
  leave(): void {
    this.#me = undefined
    this.#reading?.abort.abort()
    this.#reading = undefined
    for (const id of this.#waiting.keys()) this.#events.emit({ type: 'withdraw', id })
    this.#setWaiting(new Map())
  }

  end(): void {
    this.leave()
    this.#events.end()
  }

  hear(event: GatewayEvent): void {
    if (this.#me === undefined) return
    // A stream that begins may have missed anything; policy says who may review.
    if (event.type === 'hello' || event.type === 'policy') this.#readAgain()
    if (event.type === 'request') this.#changed(event.request, this.#me.id)
  }

  #changed(request: AccessRequest, me: string): void {
    this.#reading?.since.set(request.id, request)
    const before = this.#waiting.has(request.id)
    const next = new Map(this.#waiting)
    place(next, request)
    if (before && !next.has(request.id)) this.#events.emit({ type: 'withdraw', id: request.id })
    if (before !== next.has(request.id)) this.#setWaiting(next)
    const notice = noticeOf(request, me)
    if (notice === undefined) return
    // Who is asked hears of it once, however many approve before them, and again when they are reminded.
    const after = request.afterReview?.state ?? ''
    const state =
      request.requester.id === me
        ? `${request.state} ${request.reviews.length} ${after}`
        : after === ''
          ? `asked ${request.remindedAt ?? ''}`
          : after
    if (this.#told.get(request.id) === state) return
    this.#remember(request.id, state)
    this.#events.emit({ type: 'show', notice })
  }

  #remember(id: string, state: string): void {
    this.#told.delete(id)
    this.#told.set(id, state)
    const [oldest] = this.#told.keys()
    if (this.#told.size > remembered && oldest !== undefined) this.#told.delete(oldest)
  }

  #readAgain(): void {
    const me = this.#me
    if (me === undefined) return
    this.#reading?.abort.abort()
    const reading: Reading = { abort: new AbortController(), since: new Map() }
    this.#reading = reading
    me.list(reading.abort.signal).then(
      (requests) => {
        if (this.#reading !== reading) return
        this.#reading = undefined
        const next = new Map<string, WaitingRequest>()
        for (const request of requests) place(next, request)
        // What an event said meanwhile is newer than the answer.
        for (const request of reading.since.values()) place(next, request)
        for (const id of this.#waiting.keys()) if (!next.has(id)) this.#events.emit({ type: 'withdraw', id })
        this.#setWaiting(next)
      },
      (error: unknown) => {
        if (this.#reading !== reading) return
        this.#reading = undefined
        this.#warn(`what waits for review could not be read: ${messageOf(error)}`)
      },
    )
  }

  #setWaiting(next: Map<string, WaitingRequest>): void {
    this.#waiting = next
    this.#events.emit(this.#waitingEvent())
  }

  #waitingEvent(): NoticeEvent {
    return { type: 'waiting', requests: [...this.#waiting.values()] }
  }
}

interface Reading {
  abort: AbortController
  /** What events said since it was asked for. */
  since: Map<string, AccessRequest>
}

function place(waiting: Map<string, WaitingRequest>, request: AccessRequest): void {
  const waits = (request.state === 'pending' && request.canReview) || isToReviewAfterwards(request)
  if (!waits) {
    waiting.delete(request.id)
    return
  }
  const { id, requester, connection } = request
  const { name, environment } = connection
  waiting.set(id, { id, requester: requester.name, connection: name, environment })
}
