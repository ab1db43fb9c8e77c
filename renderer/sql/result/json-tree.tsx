import { type ReactNode, useState } from 'react'
import { JsonNumber, spelled } from './cell.ts'

const shownMost = 500

/** JSON as a tree that opens level by level. */
export function JsonTree({ value }: { value: unknown }) {
  return (
    <div className="jtree">
      <Node name={undefined} value={value} open />
    </div>
  )
}

function Leaf({ label, kind, text }: { label: ReactNode; kind: string; text: string }) {
  return (
    <div className="jtree__leaf">
      {label}
      <span className={`jtree__${kind}`}>{text}</span>
    </div>
  )
}

function Node({ name, value, open = false }: { name: string | undefined; value: unknown; open?: boolean }) {
  const [isOpen, setOpen] = useState(open)
  const label = name === undefined ? null : <span className="jtree__key">{spelled(name)}: </span>
  if (value instanceof JsonNumber) return <Leaf label={label} kind="number" text={value.digits} />
  if (value === null) return <Leaf label={label} kind="null" text="null" />
  if (typeof value !== 'object') {
    return <Leaf label={label} kind={typeof value} text={spelled(JSON.stringify(value))} />
  }
  const entries = Object.entries(value)
  const what = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span className="t3">{what}</span>
      </summary>
      {isOpen && entries.slice(0, shownMost).map(([key, member]) => <Node key={key} name={key} value={member} />)}
      {isOpen && entries.length > shownMost && (
        <div className="jtree__leaf t3">and {(entries.length - shownMost).toLocaleString('en-GB')} more</div>
      )}
    </details>
  )
}
