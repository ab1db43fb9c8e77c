/** Column globs: `[connection:]schema.table.column`. `*` stands for any characters within one part. */

export interface ColumnGlob {
  matches(connection: string, schema: string, table: string, column: string): boolean
}

/**
 * Names are compared without case, so that a table made as "Customers" is as well covered as one made as customers.
 * Returns the reason in words when the glob is not one.
 */
export function parseColumnGlob(text: string): ColumnGlob | string {
  const colon = text.indexOf(':')
  const connection = colon < 0 ? '*' : text.slice(0, colon)
  const parts = text.slice(colon + 1).split('.')
  const [schema, table, column] = parts
  if (parts.length === 2 && schema && table) {
    return `"${text}" has two parts: write schema.table.column, or *.${text} for every schema`
  }
  if (parts.length !== 3 || !schema || !table || !column || connection === '') {
    return `"${text}" is not a column: write schema.table.column or connection:schema.table.column, with * for any name`
  }
  const tests = [connection, schema, table, column].map(partTest)
  return {
    matches(...names) {
      return tests.every((test, i) => test((names[i] ?? '').toLowerCase()))
    },
  }
}

function partTest(pattern: string): (name: string) => boolean {
  const pieces = pattern.toLowerCase().split('*')
  if (pieces.length === 1) return (name) => name === pieces[0]
  const first = pieces[0] ?? ''
  const last = pieces.at(-1) ?? ''
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '')
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let at = first.length
    const end = name.length - last.length
    for (const piece of middle) {
      const found = name.indexOf(piece, at)
      if (found < 0 || found + piece.length > end) return false
      at = found + piece.length
    }
    return true
  }
}
