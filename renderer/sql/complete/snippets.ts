/** Statements to fill in; `‹1:table›` is a place, in the order of Tab. */
const written: readonly { label: string; note: string; body: string }[] = [
  {
    label: 'sel',
    note: 'SELECT … FROM … WHERE',
    body: 'SELECT ‹2:*›\nFROM ‹1:table›\nWHERE ‹3:condition›\nLIMIT ‹4:100›;$0',
  },
  { label: 'selc', note: 'count rows', body: 'SELECT count(*)\nFROM ‹1:table›\nWHERE ‹2:condition›;$0' },
  {
    label: 'selg',
    note: 'count by group',
    body: 'SELECT ‹2:column›, count(*)\nFROM ‹1:table›\nGROUP BY ‹2:column›\nORDER BY 2 DESC;$0',
  },
  {
    label: 'ins',
    note: 'INSERT … RETURNING',
    body: 'INSERT INTO ‹1:table› (‹2:columns›)\nVALUES (‹3:values›)\nRETURNING *;$0',
  },
  {
    label: 'upd',
    note: 'UPDATE … WHERE',
    body: 'UPDATE ‹1:table›\nSET ‹2:column› = ‹3:value›\nWHERE ‹4:condition›;$0',
  },
  { label: 'del', note: 'DELETE … WHERE', body: 'DELETE FROM ‹1:table›\nWHERE ‹2:condition›;$0' },
  {
    label: 'ups',
    note: 'INSERT … ON CONFLICT',
    body: 'INSERT INTO ‹1:table› (‹2:key›, ‹3:column›)\nVALUES (‹4:values›)\nON CONFLICT (‹2:key›) DO UPDATE SET ‹3:column› = excluded.‹3:column›;$0',
  },
  { label: 'cte', note: 'WITH … AS', body: 'WITH ‹1:name› AS (\n  ‹2:SELECT 1›\n)\nSELECT *\nFROM ‹1:name›;$0' },
  {
    label: 'dup',
    note: 'rows that are there twice',
    body: 'SELECT ‹2:columns›, count(*)\nFROM ‹1:table›\nGROUP BY ‹2:columns›\nHAVING count(*) > 1;$0',
  },
  {
    label: 'act',
    note: 'what runs on this server',
    body: "SELECT pid, usename, state, now() - query_start AS age, query\nFROM pg_stat_activity\nWHERE state <> 'idle'\nORDER BY age DESC;$0",
  },
]

/** The same with the places as the editor wants them. */
export const snippets = written.map(({ body, ...rest }) => ({
  ...rest,
  body: body.replaceAll(/‹(\d):([^›]*)›/g, (_, n: string, text: string) => `\${${n}:${text}}`),
}))
