import { counted } from '../../decisions/words.ts'
import { misjudged, type PlanNode } from './plan.ts'

/** Rows that came, against those expected, from which on it is worth a word. */
const farOff = 10
/** Of the rows that were read, and how many of them at least. */
const mostlyFiltered = { share: 0.9, rows: 1_000 }
const blockBytes = 8_192

/** What is worth a look at a step, in words; most often why it is slow. Pure. */
export function warningsOf(node: PlanNode): string[] {
  const off = misjudged(node)
  const loops = node.measured?.loops ?? 0
  const rows = (node.measured?.rows ?? 0) * loops
  const removed = figure(node, 'Rows Removed by Filter') * loops
  const [planned, launched] = [figure(node, 'Workers Planned'), figure(node, 'Workers Launched')]
  const batches = figure(node, 'Hash Batches')
  const temporary = ownBlocks(node, 'Temp Written Blocks')
  const fetches = figure(node, 'Heap Fetches')
  return [
    off !== undefined && (off >= farOff || off <= 1 / farOff) && `${offWords(off)} than expected`,
    removed >= mostlyFiltered.rows &&
      removed / (removed + rows) >= mostlyFiltered.share &&
      `read ${counted(Math.round(removed + rows), 'row')} to keep ${Math.round(rows).toLocaleString('en-GB')}`,
    text(node, 'Sort Space Type') === 'Disk' && `sorted on disk, ${text(node, 'Sort Space Used') ?? ''}`.trimEnd(),
    batches > 1 && `hashed in ${batches} batches, more than work_mem holds`,
    temporary > 0 && `wrote ${size(temporary)} of temporary files`,
    figure(node, 'Lossy Heap Blocks') > 0 && 'its bitmap was more than work_mem holds',
    node.measured !== undefined && launched < planned && `${launched} of ${planned} workers started`,
    fetches > 0 && fetches >= rows / 2 && `looked up ${counted(fetches, 'row')} in the table: it needs a VACUUM`,
  ].filter((warning) => warning !== false)
}

/** `12× more rows`: than were expected. */
export function offWords(off: number): string {
  const times = off >= 1 ? off : 1 / off
  return `${times >= 10 ? Math.round(times).toLocaleString('en-GB') : times.toFixed(1)}× ${off >= 1 ? 'more' : 'fewer'} rows`
}

/** `3,463 from memory (27 MB), 12 read (96 kB)`: blocks of this step without those that feed it; undefined where none were touched. */
export function bufferWords(node: PlanNode): string | undefined {
  const parts = [
    ['Shared Hit Blocks', 'from memory'],
    ['Shared Read Blocks', 'read'],
    ['Shared Dirtied Blocks', 'changed'],
    ['Shared Written Blocks', 'written'],
    ['Temp Read Blocks', 'temporary, read'],
    ['Temp Written Blocks', 'temporary, written'],
  ] as const
  const words = parts.flatMap(([name, what]) => {
    const blocks = ownBlocks(node, name)
    return blocks === 0 ? [] : [`${blocks.toLocaleString('en-GB')} ${what} (${size(blocks)})`]
  })
  return words.length === 0 ? undefined : words.join(', ')
}

/** PostgreSQL counts a step's blocks with those of the steps that feed it. */
function ownBlocks(node: PlanNode, name: string): number {
  const fed = node.children.reduce((total, child) => total + figure(child, name), 0)
  return Math.max(0, figure(node, name) - fed)
}

function figure(node: PlanNode, name: string): number {
  const value = Number(text(node, name) ?? 0)
  return Number.isFinite(value) ? value : 0
}

function text(node: PlanNode, name: string): string | undefined {
  return node.details.find((detail) => detail.name === name)?.value
}

function size(blocks: number): string {
  const kilobytes = (blocks * blockBytes) / 1024
  return kilobytes < 1024
    ? `${Math.round(kilobytes)} kB`
    : `${(kilobytes / 1024).toFixed(kilobytes < 10_240 ? 1 : 0)} MB`
}
