import { Suspense } from 'react'
import { renderToString } from 'react-dom/server'
import { expect, test } from 'vitest'
import { preloaded } from './preloaded.tsx'

const draw = (Part: ReturnType<typeof preloaded<{ name: string }>>) =>
  renderToString(
    <Suspense fallback="Opening">
      <Part name="Grace" />
    </Suspense>,
  )
const Hello = ({ name }: { name: string }) => <b>Hello {name}</b>

test('what was loaded before is drawn at once, without the fallback', async () => {
  const Part = preloaded(async () => ({ default: Hello }))
  expect(draw(Part)).toContain('Opening')
  await Part.preload()
  expect(draw(Part)).toContain('<b>')
  expect(draw(Part)).not.toContain('Opening')
})

test('what could not be loaded is tried again, and loaded once', async () => {
  let tries = 0
  const Part = preloaded(async () => {
    tries += 1
    if (tries === 1) throw new Error('no network')
    return { default: Hello }
  })
  await expect(Part.preload()).rejects.toThrow('no network')
  await Promise.all([Part.preload(), Part.preload()])
  expect(tries).toBe(2)
})
