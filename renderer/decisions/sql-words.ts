/** PostgreSQL's words as the editor and the wells colour them. */
export const keywords: readonly string[] =
  `add all alter always analyze and any array as asc begin between both by call cascade case cast check cluster coalesce collate
  column comment commit concurrently conflict constraint copy create cross current current_date current_timestamp current_user
  database deallocate default deferrable delete desc discard distinct do domain drop each else end except execute exists explain
  extension extract false fetch filter first following for foreign from full function generated grant group grouping having
  identity if ilike in index inner insert instead intersect interval into is isnull join key language last lateral leading left
  like limit listen local lock materialized merge move names natural no not nothing notify notnull null nulls of offset on only
  or order ordinality outer over overlaps partition policy preceding prepare primary privileges procedure recursive references
  refresh reindex release rename replace reset restrict returning returns revoke right role rollback row rows savepoint schema
  select sequence session set setof share show similar some start symmetric table tablesample temp temporary then to trailing
  transaction trigger true truncate type unbounded union unique unlisten unlogged update user using vacuum values view when where
  window with within without work write zone`.split(/\s+/)
