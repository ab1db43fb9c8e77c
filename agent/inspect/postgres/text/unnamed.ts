import type { Node, SelectStmt } from 'libpg-query'
import { open, parse } from '../parser.ts'
import { isAscii } from './encoding.ts'

/** Of a text that is looked at twice. */
const longest = 1024

/**
 * True where all statements of a text mean the same whatever is defined: those that begin, end and mark transactions, settings, and constants.
 * They need no catalog, and pass while it can't be read.
 */
export function isUnnamed(text: string): boolean {
  if (text.length > longest) return false
  const parsed = parse(text)
  return parsed.ok && parsed.statements.every(({ node }) => looksNothingUp(node))
}

/** Such a text, which reads alike under every setting; undefined: it is none. */
export function unnamedText(buf: Buffer, start: number, end: number): string | undefined {
  if (end - start > longest || !readsAnyWay(buf, start, end)) return undefined
  const text = buf.toString('latin1', start, end)
  return isUnnamed(text) ? text : undefined
}

/** Without letters beyond ASCII and backslashes a text says the same under every setting. */
export function readsAnyWay(buf: Buffer, start: number, end: number): boolean {
  return isAscii(buf, start, end) && !buf.subarray(start, end).includes(0x5c)
}

function looksNothingUp(node: Node): boolean {
  const opened = open(node)
  switch (opened?.tag) {
    case 'TransactionStmt':
      // What was changed in a prepared one holds from then on.
      return opened.node.kind !== 'TRANS_STMT_COMMIT_PREPARED'
    case 'VariableSetStmt':
    case 'VariableShowStmt':
    case 'ListenStmt':
    case 'UnlistenStmt':
    case 'NotifyStmt':
    case 'DeallocateStmt':
    case 'ClosePortalStmt':
      return true
    case 'SelectStmt':
      return isConstant(opened.node)
    default:
      return false
  }
}

/** `SELECT 1`, as pools ask it to see whether anybody is there. */
function isConstant({ targetList, limitOption: _limit, op: _op, ...rest }: SelectStmt): boolean {
  return (
    Object.keys(rest).length === 0 &&
    (targetList ?? []).every((one) => {
      if (!('ResTarget' in one)) return false
      const { val } = one.ResTarget
      return val !== undefined && 'A_Const' in val
    })
  )
}
