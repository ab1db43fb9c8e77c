/** A first look at a table, in a new tab; it is only written down, not run. */
export function selectFrom(schema: string, name: string): string {
  return `SELECT * FROM ${tableName(schema, name)} LIMIT 100;\n`
}

/** A table as a statement names it. */
export function tableName(schema: string, name: string): string {
  return schema === 'public' ? identifier(name) : `${identifier(schema)}.${identifier(name)}`
}

function identifier(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
