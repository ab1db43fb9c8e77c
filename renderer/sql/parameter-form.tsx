import { type FormEvent, useState } from 'react'
import { Button, IconButton } from '../theme/controls.tsx'

export type ParameterValues = Readonly<Record<string, string | null>>

/** Asks for the values of a run's parameters. They are bound, never written into the statement. */
export function ParameterForm({
  names,
  before,
  onRun,
  onClose,
}: {
  names: readonly string[]
  /** What they were last time in this tab. */
  before: ParameterValues
  onRun(values: ParameterValues): void
  onClose(): void
}) {
  const [values, setValues] = useState<ParameterValues>(() =>
    Object.fromEntries(names.map((name) => [name, before[name] === undefined ? '' : before[name]])),
  )
  const set = (name: string, value: string | null) => setValues((v) => ({ ...v, [name]: value }))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onRun(values)
  }
  return (
    <form
      className="params"
      aria-label="Parameters"
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key === 'Escape') onClose()
      }}
    >
      <div className="row params__hd">
        <b className="grow">Parameters</b>
        <IconButton icon="x" label="Close parameters" onClick={onClose} />
      </div>
      {names.map((name, i) => {
        const value = values[name]
        return (
          <div className="row params__row" key={name}>
            <label className="mono trunc params__n" htmlFor={`parameter-${name}`}>
              {name.startsWith('$') ? name : `:${name}`}
            </label>
            <span className="input grow">
              <input
                id={`parameter-${name}`}
                // biome-ignore lint/a11y/noAutofocus: the person asked for a run, and this is what it needs
                autoFocus={i === 0}
                value={value ?? ''}
                placeholder={value === null ? 'NULL' : ''}
                onChange={(event) => set(name, event.target.value)}
              />
            </span>
            <Button
              size="sm"
              kind="ghost"
              aria-pressed={value === null}
              aria-label={`${name} is NULL`}
              onClick={() => set(name, value === null ? '' : null)}
            >
              NULL
            </Button>
          </div>
        )
      })}
      <div className="row params__ft">
        <span className="t3 sm grow">Sent as values, not as text of the statement.</span>
        <Button size="sm" kind="primary" icon="play" type="submit">
          Run with these
        </Button>
      </div>
    </form>
  )
}
