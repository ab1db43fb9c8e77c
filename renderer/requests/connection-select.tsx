import { Combobox, useCombobox } from '@mantine/core'
import type { Connection } from '../../shared/api/models.ts'
import { Drawn } from '../decisions/drawn.tsx'
import { EnvTag, kindIcon } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'

/** The connection a request is for. */
export function ConnectionSelect({
  connections,
  value,
  onChange,
}: {
  connections: readonly Connection[]
  value: Connection | undefined
  onChange(name: string): void
}) {
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() })
  return (
    <Combobox
      store={combobox}
      unstyled
      classNames={{ dropdown: 'menu', option: 'mi' }}
      onOptionSubmit={(name) => {
        onChange(name)
        combobox.closeDropdown()
      }}
    >
      <Combobox.Target targetType="button">
        <button
          type="button"
          className="input input--lg input--select"
          aria-label={value === undefined ? 'Connection' : `Connection ${value.name} ${value.description}`}
          onClick={() => combobox.toggleDropdown()}
        >
          {value === undefined ? <Drawn className="ph" text="Choose a connection" /> : <Line connection={value} />}
          <span className="right t3">
            <Icon name="chev-down" size={14} />
          </span>
        </button>
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options aria-label="Connections">
          {connections.map((connection) => (
            <Combobox.Option
              value={connection.name}
              key={connection.name}
              aria-label={`${connection.name} ${connection.description}`}
            >
              <span className="row">
                <Line connection={connection} />
              </span>
            </Combobox.Option>
          ))}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}

function Line({ connection }: { connection: Connection }) {
  return (
    <>
      <EnvTag environment={connection.environment} drawn />
      <Icon name={kindIcon(connection)} />
      <b className="m nowrap">{connection.name}</b> <span className="t3 trunc">{connection.description}</span>
    </>
  )
}
