import type { StatementRange } from '../../../shared/sql/split.ts'
import type { NearestAnswer, NearestQuestion } from './nearest.ts'
import NearestWorker from './nearest.worker.ts?worker'

/** Splits texts in a worker. */
export interface Splitter {
  /** The statements around `middle`, the nearest first. */
  nearest(text: string, middle: number): Promise<readonly StatementRange[]>
}

export function createSplitter(): Splitter {
  const worker = new NearestWorker()
  const waiting = new Map<number, (statements: readonly StatementRange[]) => void>()
  let questions = 0
  worker.addEventListener('message', ({ data }: MessageEvent<NearestAnswer>) => {
    waiting.get(data.id)?.(data.statements)
    waiting.delete(data.id)
  })
  return {
    nearest: (text, middle) =>
      new Promise((resolve) => {
        questions += 1
        waiting.set(questions, resolve)
        const question: NearestQuestion = { id: questions, text, middle }
        worker.postMessage(question)
      }),
  }
}
