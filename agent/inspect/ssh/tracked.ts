import type { InspectorPort } from '../port.ts'

/** The same port, which tells of every event that is still being stored. */
export function tracked(port: InspectorPort, storing: (stored: Promise<void>) => void): InspectorPort {
  return {
    sessionId: port.sessionId,
    principal: port.principal,
    connection: port.connection,
    annotations: port.annotations,
    get epoch() {
      return port.epoch
    },
    decide: (request) => port.decide(request),
    sensitivity: (schema, table, column) => port.sensitivity(schema, table, column),
    classOf: (schema, table, column) => port.classOf(schema, table, column),
    classesIn: (text) => port.classesIn(text),
    redact: (text) => port.redact(text),
    textMasks: () => port.textMasks(),
    recordMasks: () => port.recordMasks(),
    grant: (id) => port.grant(id),
    elapsed: () => port.elapsed(),
    record: (event) => {
      const stored = port.record(event)
      if (stored !== undefined) storing(stored)
      return stored
    },
    hold: (request) => port.hold(request),
    started: (info) => port.started(info),
  }
}
