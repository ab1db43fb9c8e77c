import '@mantine/charts/styles.css'
import '@mantine/core/styles/ColorSwatch.css'
import { BarChart, LineChart } from '@mantine/charts'
import { useEffect, useMemo, useState } from 'react'
import { problemOf } from '../../rpc/problem.ts'
import { Empty, Segments, Spinner } from '../../theme/controls.tsx'
import type { ResultTab } from '../run-state.ts'
import type { SqlRuntime } from '../runtime.ts'
import { axisWidth, type ChartChoice, chartData, chartRows, firstChoice, numeric, shownNumber } from './chart-data.ts'
import { columnLabel } from './fields.ts'

type Row = readonly (string | null)[]

const colors = ['var(--sp-accent)', 'var(--sp-granted-fg)', 'var(--sp-held-fg)', 'var(--sp-masked-fg)'] as const

/** A picture of a small result. What is masked is not drawn. */
export default function ResultChart({ result, rows }: { result: ResultTab; rows: SqlRuntime['rows'] }) {
  const { columns, handle } = result
  const first = useMemo(() => firstChoice(columns), [columns])
  const [chosen, setChosen] = useState<ChartChoice | undefined>(undefined)
  const [kind, setKind] = useState<'bar' | 'line'>('bar')
  const [data, setData] = useState<readonly Row[] | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  useEffect(() => {
    const leave = new AbortController()
    rows({ result: handle, from: 0, to: chartRows, maxCell: 200 }, { signal: leave.signal }).then(
      (page) => !leave.signal.aborted && setData(page.rows),
      (error: unknown) => !leave.signal.aborted && setProblem(problemOf(error).message),
    )
    return () => leave.abort()
  }, [handle, rows])
  const choice = chosen ?? first
  const points = useMemo(
    () => (data === undefined || choice === undefined ? [] : chartData(data, choice)),
    [data, choice],
  )
  if (choice === undefined) {
    return <Empty icon="pulse" title="Nothing to draw" text="A chart needs a column of numbers that is not masked." />
  }
  if (problem !== undefined) return <Empty icon="pulse" title="The rows could not be read" text={problem} />
  if (data === undefined) return <Spinner label="Drawing" />
  const series = choice.y.map((column, i) => ({
    name: `y${i}`,
    label: columnLabel(columns, column),
    color: colors[i % colors.length] ?? colors[0],
  }))
  const common = {
    className: 'chart__plot',
    data: points,
    dataKey: 'x',
    series,
    withLegend: series.length > 1,
    tickLine: 'none' as const,
    valueFormatter: shownNumber,
    yAxisProps: { width: axisWidth(points) },
    gridColor: 'var(--sp-line)',
    textColor: 'var(--sp-text-2)',
  }
  const drawn = numeric(columns)
  return (
    <div className="chart">
      <div className="chart__bar">
        <Segments<'bar' | 'line'>
          label="Kind of chart"
          value={kind}
          onChange={setKind}
          options={[
            { value: 'bar', label: 'Bars' },
            { value: 'line', label: 'Lines' },
          ]}
        />
        <label className="row">
          <span className="t2">Along</span>
          <select
            className="arrange__select"
            value={choice.x}
            onChange={(event) => setChosen({ ...choice, x: Number(event.currentTarget.value) })}
          >
            {columns.map((c, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a result may have two columns of one name
              <option key={i} value={i} disabled={c.masked !== undefined}>
                {columnLabel(columns, i)}
                {c.masked !== undefined && ' (masked)'}
              </option>
            ))}
          </select>
        </label>
        <fieldset className="row chart__series" aria-label="Drawn">
          {drawn.map((i) => (
            <label key={i} className="row row--4">
              <input
                type="checkbox"
                checked={choice.y.includes(i)}
                onChange={() => {
                  const y = choice.y.includes(i) ? choice.y.filter((c) => c !== i) : [...choice.y, i]
                  if (y.length > 0) setChosen({ ...choice, y: y.slice(-4) })
                }}
              />
              {columnLabel(columns, i)}
            </label>
          ))}
        </fieldset>
      </div>
      <div className="chart__body" role="img" aria-label={words(choice, result, points.length)}>
        {kind === 'bar' ? (
          <BarChart {...common} barProps={{ isAnimationActive: false }} />
        ) : (
          <LineChart
            {...common}
            curveType="linear"
            withDots={points.length < 60}
            lineProps={{ isAnimationActive: false }}
          />
        )}
      </div>
    </div>
  )
}

function words({ x, y }: ChartChoice, { columns }: ResultTab, points: number): string {
  const drawn = y.map((i) => columnLabel(columns, i)).join(', ')
  return `Chart of ${drawn} by ${columnLabel(columns, x)}, ${points} rows. The grid has the same values.`
}
