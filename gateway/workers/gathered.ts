/**
 * Sends messages, those of one turn together and in order: each that goes over a pipe by itself costs both of its ends a call of the
 * system, and more than it says.
 */
export function gathered(send: (messages: unknown[]) => void): (message: unknown) => void {
  let waiting: unknown[] = []
  return (message) => {
    waiting.push(message)
    if (waiting.length > 1) return
    setImmediate(() => {
      const all = waiting
      waiting = []
      send(all)
    })
  }
}

/** Takes what was gathered apart again. Anything else on the pipe is somebody else's. */
export function eachOf(take: (message: unknown) => void): (messages: unknown) => void {
  return (messages) => {
    if (Array.isArray(messages)) for (const message of messages) take(message)
  }
}
