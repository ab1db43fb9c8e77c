import { useRpc, useSettings } from '../rpc/context.tsx'

const choices = [
  { value: 'dark', name: 'Dark' },
  { value: 'light', name: 'Light' },
  { value: 'system', name: 'Match system' },
] as const

export function Appearance() {
  const { live } = useRpc()
  const chosen = useSettings()?.theme ?? 'system'
  const choose = (theme: (typeof choices)[number]['value']) => {
    live.saveSettings({ theme }).catch((error: unknown) => console.warn('The theme was not saved.', error))
  }
  return (
    <section id="appearance">
      <h2>Appearance</h2>
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
                  onChange={() => choose(value)}
                />
                <span className="check__box" aria-hidden="true" />
                {name}
              </span>
            </label>
          ))}
        </div>
        <dl className="setr">
          <dt>Editor and terminal font</dt>
          <dd>JetBrains Mono, 12.5 px</dd>
          <dt>Production frame</dt>
          <dd>Fill the status bar on production tabs</dd>
          <dt>Reduce motion</dt>
          <dd>Follow the system</dd>
        </dl>
      </div>
    </section>
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
