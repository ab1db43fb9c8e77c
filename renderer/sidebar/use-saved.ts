import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { SavedQuery, SavedQueryChange } from '../../shared/rpc/editor.ts'
import { pathParts } from '../../shared/sql/saved-path.ts'
import { useDesk, useNavigation } from '../frame/desk.tsx'
import { useRpc } from '../rpc/context.tsx'
import { useConnections } from './connections.ts'

/** The saved queries, and what changes them. */
export function useSaved() {
  const { client, queries } = useRpc()
  const cache = useQueryClient()
  const onSuccess = () => cache.invalidateQueries({ queryKey: queries.editor.saved.key() })
  return {
    query: useQuery(queries.editor.saved.queryOptions()),
    save: useMutation({ mutationFn: (change: SavedQueryChange) => client.editor.save(change), onSuccess }),
    remove: useMutation({ mutationFn: (id: string) => client.editor.removeSaved({ id }), onSuccess }),
  }
}

/** Those with every word in folder, name or statement. */
export function findSaved(saved: readonly SavedQuery[], search: string): SavedQuery[] {
  const words = search.toLowerCase().split(/\s+/)
  return saved.filter((q) => words.every((word) => savedText(q).includes(word)))
}

function savedText({ folder, name, text }: SavedQuery): string {
  return `${folder}/${name} ${text}`.toLowerCase()
}

/** `incidents/Duplicate charges`: as it is shown and as it is typed to be renamed. */
export function savedPath({ folder, name }: Pick<SavedQuery, 'folder' | 'name'>): string {
  return folder === '' ? name : `${folder}/${name}`
}

/** A path as it was typed: what comes after the last `/` is the name. Undefined where there is none. */
export function parseSavedPath(path: string): Pick<SavedQuery, 'folder' | 'name'> | undefined {
  const parts = pathParts(path)
  const name = parts.pop()
  return name === undefined ? undefined : { name, folder: parts.join('/') }
}

/** Opens a saved query in a tab of its own: on its connection, or on that of the tab in front. False where there is neither. */
export function useOpenSaved(): (saved: SavedQuery) => boolean {
  const go = useNavigation()
  const { workspace } = useDesk()
  const connections = useConnections().data ?? []
  return (saved) => {
    const { documents, active } = workspace.state.get()
    const here = documents.find((d) => d.id === active && d.kind === 'sql')?.connection
    const find = (name: string | undefined) => connections.find((c) => c.name === name)
    const on = find(saved.connection) ?? find(here)
    if (on === undefined) return false
    go.connection(on, { fresh: true, text: saved.text })
    return true
  }
}
