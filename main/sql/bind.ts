import { bindParameters, findParameters } from '../../shared/sql/parameters.ts'

/** The statement with its values; undefined where it has no parameters, or none are to be bound. */
export function bind(
  text: string,
  values: Readonly<Record<string, string | null>> | undefined,
): { text: string; values: (string | null)[] } | undefined {
  const refs = values === undefined ? [] : findParameters(text)
  if (values === undefined || refs.length === 0) return undefined
  const bound = bindParameters(text, refs)
  return { text: bound.text, values: bound.names.map((name) => values[name] ?? null) }
}
