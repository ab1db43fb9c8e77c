import type { ReactNode } from 'react'
import type { PolicyRef } from '../../shared/decision.ts'
import { Tip } from '../theme/controls.tsx'
import { Drawn } from './drawn.tsx'
import { Icon } from './icon.tsx'
import { clock, hourMinute, useNow } from './time.ts'
import { type Look, looks } from './words.ts'

/** Icon and word of a decision, with what else belongs to it. */
export function Chip({
  look,
  children,
  quiet,
  solid,
  large,
}: {
  look: Look
  children?: ReactNode
  quiet?: boolean
  solid?: boolean
  large?: boolean
}) {
  const classes = ['chip', `d-${look.tone}`, quiet && 'chip--quiet', solid && 'chip--solid', large && 'chip--lg']
  return (
    <span className={classes.filter(Boolean).join(' ')}>
      <Icon name={look.icon} size={12} />
      {look.word}
      {children !== undefined && children !== '' && <span className="num">{children}</span>}
    </span>
  )
}

/** A policy as it is written; its reason on hover and focus. */
export function Policy({ policy }: { policy: PolicyRef }) {
  return (
    <Tip label={policy.reason}>
      <span className="policy">{policy.id}</span>
    </Tip>
  )
}

/** A timed grant, counting down; solid in its last minute, and what ended it after. */
export function GrantChip({ what, endsAt }: { what?: string; endsAt: string }) {
  const now = useNow()
  const left = Date.parse(endsAt) - now
  if (left <= 0) return <Chip look={looks.ended}>{hourMinute(endsAt)}</Chip>
  return (
    <Chip look={looks.granted} solid={left < 60_000}>
      {what === undefined ? clock(left) : `${what} · ${clock(left)}`}
    </Chip>
  )
}

/** Approvals had and needed: filled and empty bars, and the words. */
export function Pips({ had, needed }: { had: number; needed: number }) {
  return (
    <span className="row pips-row">
      <span className="pips d-held" aria-hidden="true">
        {Array.from({ length: needed }, (_, i) => i).map((i) => (
          <i key={i} className={i < had ? 'on' : undefined} />
        ))}
      </span>
      <span className="sm t2">
        {had} of {needed}
      </span>
    </span>
  )
}

/** Initials in a circle; `approved` adds the tick. */
export function Avatar({ name, size = 20, approved }: { name: string; size?: 20 | 24 | 32; approved?: boolean }) {
  return (
    <span className={size === 20 ? 'av' : `av av--${size}`} aria-hidden="true">
      <Drawn text={initials(name)} />
      {approved && (
        <span className="av__ok">
          <Icon name="check" size={12} />
        </span>
      )}
    </span>
  )
}

function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => word !== '')
  const [first = '', second] = words
  return (second === undefined ? first.slice(0, 2) : `${first.charAt(0)}${second.charAt(0)}`).toUpperCase()
}
