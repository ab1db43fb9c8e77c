import type { EncodedPicture } from '../../../../shared/rdp/bitmap.ts'

/**
 * Pictures that are not decoded yet, in the order in which they are drawn. One that covers an earlier one exactly takes its place, so
 * that of a moving desktop only what a frame of the recording shows is ever decoded.
 */
export class PendingPictures {
  readonly #pictures = new Map<string, EncodedPicture>()
  #bytes = 0

  /** What waits, in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#pictures.size
  }

  /** It is copied: a view would keep all of its update in memory. */
  add(picture: EncodedPicture): void {
    const { x, y, shownWidth, shownHeight } = picture
    const key = `${x} ${y} ${shownWidth} ${shownHeight}`
    const covered = this.#pictures.get(key)
    if (covered !== undefined) {
      this.#bytes -= covered.source.length
      // It is drawn last now, over what came between.
      this.#pictures.delete(key)
    }
    this.#pictures.set(key, { ...picture, source: Buffer.from(picture.source) })
    this.#bytes += picture.source.length
  }

  /** All of them, in order; none waits any more. */
  take(): EncodedPicture[] {
    const pictures = [...this.#pictures.values()]
    this.#pictures.clear()
    this.#bytes = 0
    return pictures
  }
}
