import '@mantine/charts/styles.css'
import '@mantine/core/styles/ColorSwatch.css'
import '@mantine/core/styles/Paper.css'
import './metrics.css'
import { BarChart } from '@mantine/charts'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useMemo, useState } from 'react'
import type { RequestMetrics } from '../../shared/api/models.ts'
import { useRpc } from '../rpc/context.tsx'
import { problemOf } from '../rpc/problem.ts'
import { Empty, Segments, Spinner } from '../theme/controls.tsx'
import { approvedShare, dayBars, spanWords, timeBars } from './metrics-data.ts'

const ranges = ['7', '30', '90'] as const
type Range = (typeof ranges)[number]

/** How approvals go, for those who tune policy: outcomes over time, and how long people wait, by rule and by group. */
export default function Metrics() {
  const { queries } = useRpc()
  const [range, setRange] = useState<Range>('30')
  // To the hour, so that the same question is the same key.
  const from = useMemo(
    () => new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - Number(range) * 86_400_000).toISOString(),
    [range],
  )
  const query = useQuery(queries.gateway.requests.metrics.queryOptions({ input: { from } }))
  return (
    <section className="met grow" aria-label="Approval metrics">
      <header className="met__hd">
        <h1>Approvals</h1>
        <span className="t2">of the requests that you may see</span>
        <span className="right">
          <Segments<Range>
            label="Range"
            value={range}
            onChange={setRange}
            options={ranges.map((days) => ({ value: days, label: `${days} days` }))}
          />
        </span>
      </header>
      <div className="met__bd scroll">
        {query.isPending && <Spinner label="Loading" />}
        {query.error && <Empty icon="circle-x" title="No metrics" text={problemOf(query.error).message} />}
        {query.data && <Charts metrics={query.data} />}
      </div>
    </section>
  )
}

function Charts({ metrics }: { metrics: RequestMetrics }) {
  const { total, byRule, byGroup } = metrics
  if (total.asked === 0) {
    return <Empty icon="gauge" title="Nothing was asked" text="Choose a longer range, or wait for the first request." />
  }
  const rules = byRule.map((share) => ({ ...share, name: share.policy }))
  const groups = byGroup.map((share) => ({ ...share, name: share.group }))
  return (
    <>
      <dl className="met__n">
        <Figure label="Asked" value={total.asked.toLocaleString('en-GB')} sub={`${total.pending} held now`} />
        <Figure label="Median to decision" value={spanWords(total.medianSeconds)} sub="of those that people decided" />
        <Figure label="Nine of ten within" value={spanWords(total.p90Seconds)} sub="of those that people decided" />
        <Figure
          label="Approved"
          value={approvedShare(total)}
          sub={`${total.automatic} by rule, ${total.breakGlass} break-glass`}
        />
        <Figure
          label="Expired unanswered"
          value={total.expired.toLocaleString('en-GB')}
          sub={`${total.denied} denied`}
        />
      </dl>
      <Block title="Outcomes by day" sub="UTC">
        <BarChart
          h={220}
          data={dayBars(metrics)}
          dataKey="day"
          type="stacked"
          withLegend
          legendProps={{ verticalAlign: 'bottom' }}
          tickLine="none"
          maxBarWidth={28}
          // Nobody asks for half a request.
          yAxisProps={{ allowDecimals: false }}
          series={[
            { name: 'Approved', color: 'var(--sp-granted-solid)' },
            { name: 'By rule', color: 'var(--sp-granted-line)' },
            { name: 'Break-glass', color: 'var(--sp-env-prod-fill)' },
            { name: 'Denied', color: 'var(--sp-blocked-solid)' },
            { name: 'Expired', color: 'var(--sp-text-3)' },
            { name: 'Cancelled', color: 'var(--sp-line-control)' },
            { name: 'Held', color: 'var(--sp-held-solid)' },
          ]}
        />
      </Block>
      <div className="met__2">
        <Times title="Time to decision by rule" shares={rules} name="Rule" />
        <Times title="Time to decision by group" shares={groups} name="Group" />
      </div>
    </>
  )
}

function Figure({ label, value, sub }: { label: string; value: string; sub: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className="num">{value}</dd>
      <dd className="met__s">{sub}</dd>
    </div>
  )
}

function Block({ title, sub, children }: { title: string; sub?: string; children: ReactNode }) {
  return (
    <div className="blk">
      <div className="blk__h">
        <b>{title}</b>
        {sub && <span className="t2">{sub}</span>}
      </div>
      {children}
    </div>
  )
}

const unitNames = { s: 'seconds', min: 'minutes', h: 'hours' } as const

type Named = RequestMetrics['total'] & { name: string }

/** The chart, and the same in figures. */
function Times({ title, shares, name }: { title: string; shares: readonly Named[]; name: string }) {
  const { unit, bars } = timeBars(shares)
  return (
    <Block title={title} sub={bars.length === 0 ? '' : unitNames[unit]}>
      {bars.length === 0 ? (
        <p className="t2">Nobody has decided one yet.</p>
      ) : (
        <BarChart
          h={Math.max(96, bars.length * 44 + 40)}
          data={bars}
          dataKey="name"
          orientation="vertical"
          yAxisProps={{ width: 132, tickFormatter: (name: string) => name }}
          tickLine="none"
          maxBarWidth={14}
          valueFormatter={(value) => `${value} ${unit}`}
          series={[
            { name: 'Median', color: 'var(--sp-accent)' },
            { name: 'Nine of ten', color: 'var(--sp-accent-line)' },
          ]}
          withLegend
          legendProps={{ verticalAlign: 'bottom' }}
        />
      )}
      <table className="tb met__t">
        <thead>
          <tr>
            <th>{name}</th>
            <th className="r">Asked</th>
            <th className="r">Approved</th>
            <th className="r">Denied</th>
            <th className="r">Expired</th>
            <th className="r">Median</th>
            <th className="r">9 of 10</th>
          </tr>
        </thead>
        <tbody>
          {shares.map((share) => (
            <tr key={share.name}>
              <td className="mono" title={share.name}>
                {share.name}
              </td>
              <td className="r num">{share.asked}</td>
              <td className="r num">{share.approved}</td>
              <td className="r num">{share.denied}</td>
              <td className="r num">{share.expired}</td>
              <td className="r num">{spanWords(share.medianSeconds)}</td>
              <td className="r num">{spanWords(share.p90Seconds)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Block>
  )
}
