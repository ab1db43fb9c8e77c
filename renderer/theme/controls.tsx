import { Tooltip, UnstyledButton } from '@mantine/core'
import type { ComponentProps, KeyboardEvent, ReactNode } from 'react'
import { Icon, type IconName } from '../decisions/icon.tsx'

type ButtonProps = Omit<ComponentProps<'button'>, 'type'> & {
  kind?: 'default' | 'primary' | 'ghost' | 'danger' | 'danger-solid'
  size?: 'sm' | 'md' | 'lg'
  icon?: IconName
  /** The key that does the same, shown on the button. */
  keys?: string | undefined
  block?: boolean
  type?: 'button' | 'submit'
}

export function Button({
  kind = 'default',
  size = 'md',
  icon,
  keys,
  block,
  disabled,
  className,
  children,
  onClick,
  ...rest
}: ButtonProps) {
  const classes = [
    'btn',
    kind !== 'default' && `btn--${kind}`,
    size !== 'md' && `btn--${size}`,
    block && 'btn--block',
    className,
  ]
  return (
    <UnstyledButton
      {...rest}
      className={classes.filter(Boolean).join(' ')}
      aria-disabled={disabled ? true : undefined}
      onClick={disabled ? (event) => event.preventDefault() : onClick}
    >
      {icon && <Icon name={icon} size={14} />}
      {children}
      {keys && (
        <span className="kbd" aria-hidden="true">
          {keys}
        </span>
      )}
    </UnstyledButton>
  )
}

/** A button that is an icon; `label` is its name and its tooltip. */
export function IconButton({
  icon,
  label,
  size = 14,
  active,
  className,
  ...rest
}: ComponentProps<'button'> & { icon: IconName; label: string; size?: 12 | 14 | 16; active?: boolean }) {
  return (
    <Tip label={label}>
      <UnstyledButton
        {...rest}
        className={['ib', active && 'is-active', className].filter(Boolean).join(' ')}
        aria-label={label}
        aria-pressed={active}
      >
        <Icon name={icon} size={size} />
      </UnstyledButton>
    </Tip>
  )
}

export function Tip({
  label,
  children,
  side = 'bottom',
}: {
  label: ReactNode
  children: ReactNode
  side?: 'bottom' | 'right'
}) {
  return (
    <Tooltip
      label={label}
      position={side}
      openDelay={400}
      // Who comes by key reads what an icon does as well.
      events={{ hover: true, focus: true, touch: false }}
      withArrow={false}
      classNames={{ tooltip: 'tip tip--float' }}
      multiline
      maw={320}
    >
      {children}
    </Tooltip>
  )
}

const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

/** One of a few, side by side. `label` names the group. */
export function Segments<T extends string>({
  label,
  value,
  onChange,
  options,
  size,
  stretch,
}: {
  label: string
  value: T
  onChange(value: T): void
  options: readonly { value: T; label: ReactNode; disabled?: boolean }[]
  size?: 'lg'
  stretch?: boolean
}) {
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const step = steps[event.key]
    const open = options.filter((o) => !o.disabled)
    const at = open.findIndex((o) => o.value === value)
    const next = step === undefined ? undefined : open[(at + step + open.length) % open.length]
    if (next === undefined) return
    event.preventDefault()
    // What is chosen has the focus, as with every group of radio buttons.
    event.currentTarget.parentElement?.querySelector<HTMLElement>(`[data-value="${CSS.escape(next.value)}"]`)?.focus()
    onChange(next.value)
  }
  return (
    <div
      className={['seg', size === 'lg' && 'seg--lg', stretch && 'seg--stretch'].filter(Boolean).join(' ')}
      role="radiogroup"
      aria-label={label}
    >
      {options.map((option) => (
        <UnstyledButton
          key={option.value}
          role="radio"
          aria-checked={option.value === value}
          aria-disabled={option.disabled}
          tabIndex={option.value === value ? 0 : -1}
          className={[option.value === value && 'is-on', option.disabled && 'is-dis'].filter(Boolean).join(' ')}
          onClick={() => !option.disabled && onChange(option.value)}
          data-value={option.value}
          onKeyDown={move}
        >
          {option.label}
        </UnstyledButton>
      ))}
    </div>
  )
}

export function Switch({ label, checked, onChange }: { label: string; checked: boolean; onChange(on: boolean): void }) {
  return (
    <UnstyledButton
      className={checked ? 'switch is-on' : 'switch'}
      role="switch"
      aria-checked={checked}
      aria-label={label}
      onClick={() => onChange(!checked)}
    />
  )
}

export function Check({
  label,
  checked,
  disabled,
  onChange,
}: {
  label: string
  checked: boolean
  disabled?: boolean
  onChange(on: boolean): void
}) {
  const classes = ['opt', checked && 'is-on', disabled && 'is-dis']
  return (
    <UnstyledButton
      className={classes.filter(Boolean).join(' ')}
      role="checkbox"
      aria-checked={checked}
      aria-disabled={disabled}
      onClick={() => !disabled && onChange(!checked)}
    >
      <span className="check__box">
        <Icon name={disabled ? 'lock' : 'check'} size={12} />
      </span>
      <span>{label}</span>
    </UnstyledButton>
  )
}

/** Nothing here, and why, in the middle of where it would be. */
export function Empty({
  icon,
  title,
  text,
  children,
}: {
  icon: IconName
  title: string
  text?: ReactNode
  children?: ReactNode
}) {
  return (
    <div className="empty">
      <Icon name={icon} size={24} />
      <b className="m">{title}</b>
      {text && <p>{text}</p>}
      {children}
    </div>
  )
}

export function Spinner({ label }: { label: string }) {
  return (
    <span className="row t2" role="status">
      <span className="spin" aria-hidden="true" />
      {label}
    </span>
  )
}
