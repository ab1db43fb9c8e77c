import { say } from './wire.ts'

/** What clients ask in the extended protocol, and in COPY, in the messages that they take. A Sync is the caller's to send. */
export const ask = {
  /** The unnamed statement, prepared, bound and run. */
  run: (text: string, ...values: string[]): Buffer[] => [say.parse('', text), ...ask.again('', ...values)],
  /** As `run`, with its columns described. */
  described: (text: string, ...values: string[]): Buffer[] => [
    say.parse('', text),
    say.bindTo('', '', ...values),
    say.describe('P', ''),
    say.execute(''),
  ],
  /** A statement that was prepared before, bound and run. */
  again: (name: string, ...values: string[]): Buffer[] => [say.bindTo('', name, ...values), say.execute('')],
  /** A statement by name, prepared, bound and run. */
  named: (name: string, text: string, ...values: string[]): Buffer[] => [
    say.parse(name, text),
    ...ask.again(name, ...values),
  ],
  /** COPY … FROM STDIN with rows, in a Query. */
  copyIn: (text: string, ...rows: string[]): Buffer[] => [say.query(text), ...rows.map(say.copyData), say.copyDone],
  /** As `copyIn`, in the extended protocol. The Sync behind Execute is one that the target ignores. */
  copyInExtended: (text: string, ...rows: string[]): Buffer[] => [
    ...ask.run(text),
    say.sync,
    ...rows.map(say.copyData),
    say.copyDone,
    say.sync,
  ],
} as const
