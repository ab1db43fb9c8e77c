import { Icon } from '../decisions/icon.tsx'
import { usePlatform, useRpc, useSettings } from '../rpc/context.tsx'
import { IconButton, Segments, Switch } from '../theme/controls.tsx'

const choices = [
  { value: 'dark', name: 'Dark' },
  { value: 'light', name: 'Light' },
  { value: 'system', name: 'Match system' },
] as const

const zooms = [0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const

/** How it looks. */
export function Appearance() {
  const { live } = useRpc()
  const { shell, os } = usePlatform()
  const settings = useSettings()
  const chosen = settings?.theme ?? 'system'
  const size = settings?.codeSize ?? 12.5
  const zoom = settings?.zoom ?? 1
  const save = (change: Parameters<typeof live.saveSettings>[0]) => {
    live.saveSettings(change).catch((error: unknown) => console.warn('The setting was not saved.', error))
  }
  const larger = zooms.find((z) => z > zoom + 0.001)
  const smaller = zooms.findLast((z) => z < zoom - 0.001)
  return (
    <div className="card thm__c">
      <div className="thms" role="radiogroup" aria-label="Theme">
        {choices.map(({ value, name }) => (
          <label key={value} className={value === chosen ? 'thm is-on' : 'thm'}>
            {value === 'system' ? (
              <span className="thm__p thm__p--sys" aria-hidden="true">
                <Sketch className="half" theme="dark" />
                <Sketch className="half half--r" theme="light" />
              </span>
            ) : (
              <Sketch className="thm__p" theme={value} />
            )}
            <span className={value === chosen ? 'check radio is-on' : 'check radio'}>
              <input
                type="radio"
                className="visually-hidden"
                name="theme"
                checked={value === chosen}
                onChange={() => save({ theme: value })}
              />
              <span className="check__box" aria-hidden="true" />
              {name}
            </span>
          </label>
        ))}
      </div>
      <dl className="setr">
        <dt>High contrast</dt>
        <dd>
          {settings?.contrast === 'high' ? 'Always' : 'Follow the system'}
          <span className="right">
            <Switch
              label="High contrast, always"
              checked={settings?.contrast === 'high'}
              onChange={(on) => save({ contrast: on ? 'high' : 'system' })}
            />
          </span>
        </dd>
        <dt>Editor font</dt>
        <dd>
          JetBrains Mono
          <Stepper
            label="Editor font"
            value={`${size} px`}
            onLess={size > 10 ? () => save({ codeSize: Math.max(10, size - 0.5) }) : undefined}
            onMore={size < 20 ? () => save({ codeSize: Math.min(20, size + 0.5) }) : undefined}
          />
        </dd>
        <dt>Zoom</dt>
        <dd>
          {shell === 'browser' ? (
            <span className="t2">The browser’s own, {os === 'mac' ? '⌘ +' : 'Ctrl +'} and −</span>
          ) : (
            <>
              Of the window
              <Stepper
                label="Zoom"
                value={`${Math.round(zoom * 100)}%`}
                onLess={smaller === undefined ? undefined : () => save({ zoom: smaller })}
                onMore={larger === undefined ? undefined : () => save({ zoom: larger })}
              />
            </>
          )}
        </dd>
        <dt>
          Production frame <Icon name="lock" size={14} />
        </dt>
        <dd>Fill the status bar on production tabs</dd>
        <dt>Reduce motion</dt>
        <dd>
          {settings?.motion === 'reduced' ? 'Always' : 'Follow the system'}
          <span className="right">
            <Switch
              label="Reduce motion, always"
              checked={settings?.motion === 'reduced'}
              onChange={(on) => save({ motion: on ? 'reduced' : 'system' })}
            />
          </span>
        </dd>
        <dt>Tree of connections</dt>
        <dd>
          <Segments
            label="Tree of connections"
            value={settings?.grouping ?? 'environment'}
            onChange={(grouping) => save({ grouping })}
            options={[
              { value: 'environment', label: 'By environment' },
              { value: 'tag', label: 'By tag' },
            ]}
          />
        </dd>
      </dl>
    </div>
  )
}

function Stepper({
  label,
  value,
  onLess,
  onMore,
}: {
  label: string
  value: string
  onLess: (() => void) | undefined
  onMore: (() => void) | undefined
}) {
  return (
    <fieldset className="right row stg__st" aria-label={label}>
      <IconButton icon="minus" label={`${label}: smaller`} aria-disabled={onLess === undefined} onClick={onLess} />
      <span className="num stg__v" role="status">
        {value}
      </span>
      <IconButton icon="plus" label={`${label}: larger`} aria-disabled={onMore === undefined} onClick={onMore} />
    </fieldset>
  )
}

function Sketch({ className, theme }: { className: string; theme: 'dark' | 'light' }) {
  return (
    <span className={className} data-theme={theme} aria-hidden="true">
      <i className="a" />
      <i className="b" />
      <span className="thm__l">
        <i style={{ width: '60%' }} />
        <i style={{ width: '82%' }} />
        <i className="h" style={{ width: '46%' }} />
        <i style={{ width: '70%' }} />
      </span>
    </span>
  )
}
