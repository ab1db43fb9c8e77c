/**
 * What a foreign key does to rows that refer to one which goes or changes, by the letter that confdeltype, confupdtype and the grammar have for
 * it; undefined: nothing. `cascades`: what CASCADE does. SET NULL and SET DEFAULT change rows.
 */
export function keyAction<T extends 'delete' | 'update'>(letter: unknown, cascades: T): T | 'update' | undefined {
  return letter === 'c' ? cascades : letter === 'n' || letter === 'd' ? 'update' : undefined
}
