import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { SqlText } from './sql-text.tsx'

test('what would turn or hide a part of a statement is shown by its code, wherever it stands', () => {
  const shown = renderToStaticMarkup(
    <SqlText text={"DELETE FROM t /* \u202e*/ WHERE a = '\u2066x' AND b\u200b = 1\r"} />,
  )
  expect(shown).not.toMatch(/[\u202e\u2066\u200b\r]/)
  for (const code of ['U+202E', 'U+2066', 'U+200B', 'U+000D']) expect(shown).toContain(`>${code}</span>`)
})
