import { type NearestAnswer, type NearestQuestion, nearestStatements } from './nearest.ts'

// Off the page's thread: splitting a long text takes longer than a key may wait.
self.addEventListener('message', ({ data }: MessageEvent<NearestQuestion>) => {
  const { id, text, middle } = data
  const answer: NearestAnswer = { id, statements: nearestStatements(text, middle) }
  self.postMessage(answer)
})
