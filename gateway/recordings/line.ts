import type { RecordingEvent } from '../../shared/recording.ts'

type Of<Type extends RecordingEvent['type']> = Extract<RecordingEvent, { type: Type }>

/** Policies, masks and tables mostly come with the next statement again, as the same object, which is never changed in an event. */
class Last {
  #value: object | undefined
  #json = ''

  of(value: object): string {
    if (value !== this.#value) {
      this.#json = JSON.stringify(value)
      this.#value = value
    }
    return this.#json
  }
}

/** What the lines of one recording repeat. */
export class LineMemory {
  readonly policy = new Last()
  readonly masks = new Last()
  readonly tables = new Last()
}

/**
 * An event as one line of a recording. What every statement writes is put together by hand, which takes a third of the time that
 * JSON.stringify does; everything else is left to that.
 */
export function lineOf(event: RecordingEvent, memory: LineMemory): string {
  switch (event.type) {
    case 'request':
      return requestLine(event, memory)
    case 'complete':
      return completeLine(event)
    default:
      return `${JSON.stringify(event)}\n`
  }
}

function requestLine(event: Of<'request'>, memory: LineMemory): string {
  const { at, n, action, text, outcome, policy, masks, tables, grantId, requestId } = event
  let line = `{"type":"request","at":${number(at)},"n":${number(n)},"action":${JSON.stringify(action)},"text":${JSON.stringify(text)},"outcome":"${outcome}"`
  if (policy !== undefined) line += `,"policy":${memory.policy.of(policy)}`
  if (masks !== undefined) line += `,"masks":${memory.masks.of(masks)}`
  if (tables !== undefined) line += `,"tables":${memory.tables.of(tables)}`
  if (grantId !== undefined) line += `,"grantId":${JSON.stringify(grantId)}`
  if (requestId !== undefined) line += `,"requestId":${JSON.stringify(requestId)}`
  return `${line}}\n`
}

function completeLine({ at, n, ok, rows, bytes, exitCode, error, dbMs, gatewayMs }: Of<'complete'>): string {
  let line = `{"type":"complete","at":${number(at)},"n":${number(n)},"ok":${ok}`
  if (rows !== undefined) line += `,"rows":${number(rows)}`
  if (bytes !== undefined) line += `,"bytes":${number(bytes)}`
  if (exitCode !== undefined) line += `,"exitCode":${number(exitCode)}`
  if (error !== undefined) line += `,"error":${JSON.stringify(error)}`
  if (dbMs !== undefined) line += `,"dbMs":${number(dbMs)}`
  if (gatewayMs !== undefined) line += `,"gatewayMs":${number(gatewayMs)}`
  return `${line}}\n`
}

/** The thousandths of a number, as JSON writes them behind it. */
const thousandths = Array.from({ length: 1000 }, (_, n) => String(n / 1000).slice(1))

/**
 * As JSON has it: no NaN and no infinity. To the microsecond, which is what clocks here are good for. Put together from
 * whole numbers: the engine's own way from a fraction to its digits took a twentieth of all that a statement costs.
 */
function number(value: number): string {
  const micros = Math.round(value * 1000)
  if (!(micros >= 0 && micros <= Number.MAX_SAFE_INTEGER)) return Number.isFinite(value) ? `${micros / 1000}` : 'null'
  const rest = micros % 1000
  return `${(micros - rest) / 1000}${thousandths[rest]}`
}
