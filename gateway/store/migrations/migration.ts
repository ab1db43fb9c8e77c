/** A step forward. Written once, never changed after release: a store in the field has already taken it. */
export interface Migration {
  /** Counts from 1 without gaps. */
  id: number
  name: string
  sql: string
}
