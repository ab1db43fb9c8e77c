import { useConnections } from '../sidebar/connections.ts'

/** What the palette is said to search: who may open no connection, as an auditor, comes for sessions. */
export function useSearchWords(): string {
  const opensNone = useConnections().data?.length === 0
  return opensNone ? 'Search sessions, people and commands' : 'Search connections, tables and commands'
}
