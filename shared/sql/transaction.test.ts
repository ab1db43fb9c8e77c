import { expect, test } from 'vitest'
import { transactionRole } from './transaction.ts'

test.each([
  ['-- now\nbegin', 'control'],
  ['START /* a */ TRANSACTION READ ONLY', 'control'],
  ['rollback to savepoint a', 'control'],
  ['end', 'control'],
  ["prepare transaction 'x'", 'control'],
  ['prepare p as select 1', 'plain'],
  ['vacuum full t', 'alone'],
  ['create unique index concurrently i on t (a)', 'alone'],
  ['create index i on t (a)', 'plain'],
  ['drop database d', 'alone'],
  ['alter system set x = 1', 'alone'],
  ['select 1', 'plain'],
  ['with a as (select 1) delete from t', 'plain'],
  ['', 'plain'],
])('%s', (sql, role) => expect(transactionRole(sql)).toBe(role))
