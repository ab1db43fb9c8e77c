import { expect, test } from 'vitest'
import { firstComment } from './comment.ts'

test.each([
  ['-- INC-1 refund\ndelete from orders', 'INC-1 refund'],
  ['delete /* INC-2 */ from orders -- other', 'INC-2'],
  ["select '-- no', \"/* no */\", $$-- no$$, e'\\'-- no' -- INC-3", 'INC-3'],
  ['delete from orders', ''],
  ["delete from orders where ssn = $1\n-- $1 = '900-00-0001'", ''],
  ["-- INC-4\ndelete from orders where ssn = $1\n-- $1 = '900-00-0001'", 'INC-4'],
  ['/* never closed', 'never closed'],
])('%s', (text, comment) => {
  expect(firstComment(text)).toBe(comment)
})
