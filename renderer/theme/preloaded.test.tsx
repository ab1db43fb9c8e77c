import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { MantineProvider } from '@mantine/core'
import { Suspense } from 'react'
import { renderToPipeableStream, renderToString } from 'react-dom/server'
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

test('what could not be loaded is said in its place, and is not asked for again and again', async () => {
  let tries = 0
  const Part = preloaded<{ name: string }>(async () => {
    tries += 1
    throw new Error('no network')
  })
  const drawn = new PassThrough()
  const stream = renderToPipeableStream(
    <MantineProvider>
      <Suspense fallback="Opening">
        <Part name="Grace" />
      </Suspense>
    </MantineProvider>,
    { onAllReady: () => stream.pipe(drawn) },
  )
  expect(await text(drawn)).toContain('This part could not be loaded')
  expect(tries).toBe(1)
})
