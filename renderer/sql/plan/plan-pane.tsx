import './plan.css'
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react'
import { createPortal } from 'react-dom'
import { z } from 'zod'
import type { ExplainMode, SqlCatalog } from '../../../shared/rpc/editor.ts'
import { Icon } from '../../decisions/icon.tsx'
import { milliseconds } from '../../decisions/time.ts'
import { capitalise } from '../../decisions/words.ts'
import { problemOf } from '../../rpc/problem.ts'
import { Button, Empty, Segments, Spinner } from '../../theme/controls.tsx'
import { PinButton } from '../pin-button.tsx'
import type { ResultTab } from '../run-state.ts'
import type { SqlRuntime } from '../runtime.ts'
import { useCatalog } from '../use-catalog.ts'
import { type Hidden, hideInLines, hideLiterals } from './hide.ts'
import { planForm } from './is-plan.ts'
import { PlanPicture } from './picture.tsx'
import { heaviest, nodesOf, type Plan, type PlanNode, parsePlan } from './plan.ts'
import { planText } from './plan-text.ts'
import { bufferWords, warningsOf } from './warnings.ts'

type Loaded =
  | { state: 'loading' }
  | { state: 'ready'; plan: Plan; json: string }
  /** As PostgreSQL has written it, for people to read. */
  | { state: 'text'; text: string }
  | { state: 'failed'; message: string }
type Form = 'picture' | 'text' | 'json'

/** Lines of a plan in text that are read: no plan that anybody reads has more. */
const mostLines = 10_000

/** A plan, as a picture and as text. `slot` takes its tools. */
export default function PlanPane({
  connection,
  result,
  explain,
  runtime,
  slot,
}: {
  connection: string
  result: ResultTab
  /** How it was asked for: undefined where the statement itself was an EXPLAIN. */
  explain: ExplainMode | undefined
  runtime: SqlRuntime
  slot: HTMLElement | null
}) {
  const loaded = usePlan(connection, result, runtime)
  const [form, setForm] = useState<Form>('picture')
  const [chosen, setChosen] = useState<number | undefined>(undefined)
  if (loaded.state === 'loading') return <Spinner label="Drawing the plan" />
  if (loaded.state === 'failed') return <Empty icon="alert" title="The plan could not be read" text={loaded.message} />
  const pin = <PinButton result={result} runtime={runtime} what="plan" />
  if (loaded.state === 'text')
    // The statement itself asked for it as text, YAML or XML.
    return (
      <Frame
        slot={slot}
        tools={pin}
        copies={{ text: loaded.text, as: 'text' }}
        foot={<span className="t2">Explain, beside Run, draws it as a picture.</span>}
      >
        <PlanText label="Plan as text" text={loaded.text} />
      </Frame>
    )
  const { plan, json } = loaded
  const node = nodesOf(plan.root).find((n) => n.id === chosen) ?? heaviest(plan)
  const text = form === 'json' ? JSON.stringify(JSON.parse(json), null, 2) : planText(plan)
  const as = form === 'json' ? 'JSON' : 'text'
  const tools = (
    <>
      {pin}
      <Segments<Form>
        label="Show the plan as"
        value={form}
        onChange={setForm}
        options={[
          { value: 'picture', label: 'Picture' },
          { value: 'text', label: 'Text' },
          { value: 'json', label: 'JSON' },
        ]}
      />
    </>
  )
  const foot = (
    <>
      <span>{ranWords(plan.executionMs !== undefined, explain)}</span>
      {plan.planningMs !== undefined && <span className="t2 num">Planning {milliseconds(plan.planningMs)}</span>}
      {plan.executionMs !== undefined && <span className="t2 num">Execution {milliseconds(plan.executionMs)}</span>}
    </>
  )
  return (
    <Frame slot={slot} tools={tools} copies={{ text, as }} foot={foot} cost={plan.root.totalCost}>
      {form === 'picture' ? (
        <>
          <PlanPicture plan={plan} chosen={node.id} onChoose={setChosen} />
          <Details node={node} />
        </>
      ) : (
        <PlanText label={`Plan as ${as}`} text={text} />
      )}
    </Frame>
  )
}

/** A plan with its tools, the last of which copies it, and what there is to say of the whole of it. */
function Frame({
  slot,
  tools,
  copies,
  foot,
  cost,
  children,
}: {
  slot: HTMLElement | null
  tools: ReactNode
  copies: { text: string; as: 'text' | 'JSON' }
  foot: ReactNode
  cost?: number
  children: ReactNode
}) {
  const [said, setSaid] = useState('')
  const copy = () =>
    navigator.clipboard.writeText(copies.text).then(
      () => setSaid(`Copied the plan as ${copies.as}.`),
      (error: unknown) => setSaid(`Nothing was copied: ${problemOf(error).message}`),
    )
  const all = (
    <>
      {tools}
      <Button size="sm" kind="ghost" icon="copy" onClick={() => void copy()}>
        Copy
      </Button>
    </>
  )
  return (
    <>
      {slot !== null && createPortal(all, slot)}
      <div className="res__split plan">{children}</div>
      <div className="res__ft">
        {foot}
        <span className="t2" role="status">
          {said}
        </span>
        {cost !== undefined && <span className="right num">cost {cost.toLocaleString('en-GB')}</span>}
      </div>
    </>
  )
}

/** What became of what the statement did: rolled back only where we ran it to be measured. */
function ranWords(measured: boolean, explain: ExplainMode | undefined): string {
  if (!measured) return 'Planned, not run'
  return explain === 'measure' ? 'Ran to be measured, and was rolled back' : 'Ran, and what it did stays'
}

function PlanText({ label, text }: { label: string; text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <section className="plan__text scroll" tabIndex={0} aria-label={label}>
      <pre>{text}</pre>
    </section>
  )
}

/** All that PostgreSQL says of one step. */
function Details({ node }: { node: PlanNode }) {
  const { measured } = node
  const warnings = warningsOf(node)
  const buffers = bufferWords(node)
  const figures = [
    { name: 'Cost', value: `${node.startupCost.toFixed(2)} to ${node.totalCost.toFixed(2)}` },
    { name: 'Rows expected', value: `${node.rows.toLocaleString('en-GB')} of ${node.width} bytes` },
    ...(measured === undefined
      ? []
      : [
          { name: 'Rows', value: measured.rows.toLocaleString('en-GB') },
          { name: 'Time', value: `${measured.startupMs.toFixed(3)} to ${measured.totalMs.toFixed(3)} ms` },
          { name: 'Loops', value: measured.loops.toLocaleString('en-GB') },
        ]),
    ...(buffers === undefined ? [] : [{ name: 'Blocks of this step', value: buffers }]),
    ...node.details.filter(({ name }) => !/^(Shared|Temp) \w+ Blocks$/.test(name)),
  ]
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
    <aside className="plan__more scroll" aria-label="About the step" tabIndex={0}>
      <h3>
        {node.type} {node.target && <span className="mono t2">{node.target}</span>}
      </h3>
      {warnings.length > 0 && (
        <ul className="plan__warns" aria-label="Worth a look">
          {warnings.map((warning) => (
            <li key={warning}>
              <Icon name="alert" size={12} />
              <span>{capitalise(warning)}</span>
            </li>
          ))}
        </ul>
      )}
      <dl>
        {figures.map(({ name, value }) => (
          <div key={name}>
            <dt className="t2">{name}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
      </dl>
    </aside>
  )
}

function usePlan(connection: string, result: ResultTab, runtime: SqlRuntime): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({ state: 'loading' })
  const catalog = useEffectEvent(useCatalog(connection))
  const { handle, complete, columns } = result
  const form = planForm(columns)
  useEffect(() => {
    if (!complete) return
    const leave = new AbortController()
    const load = async (): Promise<Loaded> => {
      const { rows } = await runtime.rows({ result: handle, from: 0, to: mostLines }, { signal: leave.signal })
      const hidden = await catalog(false).then(maskedNames, (error: unknown): Hidden => {
        console.warn('Which columns are masked is not known, so no literal of the plan is shown.', error)
        return 'all'
      })
      if (form === 'text')
        return { state: 'text', text: hideInLines(rows.map(([line]) => line ?? '').join('\n'), hidden) }
      const json = hideLiterals(rows[0]?.[0] ?? '', hidden)
      return { state: 'ready', plan: parsePlan(json), json }
    }
    load().then(
      (ready) => !leave.signal.aborted && setLoaded(ready),
      (error: unknown) => {
        if (leave.signal.aborted) return
        const ours = error instanceof z.ZodError || error instanceof SyntaxError
        const message = ours ? 'It is not in the form that PostgreSQL uses.' : problemOf(error).message
        setLoaded({ state: 'failed', message })
      },
    )
    return () => leave.abort()
  }, [handle, complete, form, runtime])
  return loaded
}

function maskedNames(catalog: SqlCatalog): Hidden {
  return new Set(catalog.tables.flatMap((table) => table.columns.filter((c) => c.masked).map((c) => c.name)))
}
