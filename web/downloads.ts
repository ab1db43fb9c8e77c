import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { fail } from '../main/problem.ts'
import type { SavedFile, Saver } from '../main/save.ts'
import { plainHeaders } from './headers.ts'

export const downloadsPath = '/download/'

/** The page opens what it is offered at once; a minute is for a browser that asks where to save first. */
const startMs = 60_000

interface Offer {
  file: SavedFile
  take(response: ServerResponse): void
}

/** Files that the core saves through the browser: each at a path that can't be guessed and works once. */
export class Downloads {
  private readonly offers = new Map<string, Offer>()

  readonly saver: Saver = async (file) => {
    const path = `${downloadsPath}${randomBytes(32).toString('base64url')}`
    const taken = Promise.withResolvers<ServerResponse>()
    const late = setTimeout(() => {
      this.offers.delete(path)
      taken.reject(
        fail('failed', 'The browser did not begin the download.', { hint: 'Allow downloads for this page.' }),
      )
    }, startMs)
    // Whoever waits for it hears of it; nobody may.
    taken.promise.catch(() => {})
    let response: ServerResponse | undefined
    this.offers.set(path, {
      file,
      take: (taker) => {
        clearTimeout(late)
        response = taker
        taken.resolve(taker)
      },
    })
    return {
      offer: path,
      open: () => taken.promise,
      commit: () => Promise.resolve(file.name),
      discard: () => {
        clearTimeout(late)
        this.offers.delete(path)
        // Without its last chunk: the browser knows that this is not the whole file, and keeps none of it.
        response?.destroy()
        return Promise.resolve()
      },
    }
  }

  /** Answers with the file of this path, as the core writes it. False: there is none. */
  serve(path: string, response: ServerResponse): boolean {
    const offer = this.offers.get(path)
    if (offer === undefined) return false
    this.offers.delete(path)
    const { name, type } = offer.file
    response.writeHead(200, {
      ...plainHeaders,
      'content-type': type,
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
    })
    response.flushHeaders()
    offer.take(response)
    return true
  }
}
