import { Combobox, useCombobox } from '@mantine/core'
import { useState } from 'react'
import type { Connection } from '../../shared/api/models.ts'
import { Drawn } from '../decisions/drawn.tsx'
import { aboutConnection, EnvTag, kindIcon } from '../decisions/environment.tsx'
import { Icon } from '../decisions/icon.tsx'

/** From so many on they are searched. */
const manyConnections = 12

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
  const [search, setSearch] = useState('')
  const many = connections.length >= manyConnections
  const combobox = useCombobox({
    onDropdownOpen: () => {
      if (many) combobox.focusSearchInput()
    },
    onDropdownClose: () => {
      combobox.resetSelectedOption()
      setSearch('')
      if (many) combobox.focusTarget()
    },
  })
  const shown = found(connections, search)
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
        {many && (
          <Combobox.Search
            classNames={{ wrapper: 'input menu__find' }}
            value={search}
            onChange={(event) => {
              setSearch(event.currentTarget.value)
              combobox.updateSelectedOptionIndex()
            }}
            placeholder={`Search ${connections.length} connections`}
            aria-label="Search connections"
          />
        )}
        <Combobox.Options aria-label="Connections" className="menu__list scroll">
          {shown.map((connection) => (
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
        {shown.length === 0 && <p className="menu__none sm t2">Nothing is called that.</p>}
      </Combobox.Dropdown>
    </Combobox>
  )
}

/** Those with every word in the name, or in what else they are looked for by. */
function found(connections: readonly Connection[], search: string): readonly Connection[] {
  const words = search.toLowerCase().split(/\s+/)
  return connections.filter((connection) => {
    const text = `${connection.name} ${aboutConnection(connection)}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
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
