import { randomInt } from 'node:crypto'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { z } from 'zod'
import { AccessRequest } from '../../shared/api/models.ts'
import { call } from '../support/access.ts'
import { sallyport } from '../support/cli.ts'
import {
  type Client,
  chromiumPath,
  fillIn,
  launchChromium,
  openClient,
  secondFactor,
  secondTry,
  signIn,
} from '../support/client.ts'
import { personCli } from '../support/person-cli.ts'
import type { Ran } from '../support/run.ts'

/** Where policy wants a second factor of who approves, grace is taken through it, and what she did goes on by itself. */
const demo = inject('demo')

let browser: Browser

/** A change to production tables by the DBAs' machine, which waits; and what becomes of it. */
async function held(): Promise<{ id: string; ended: Promise<Ran> }> {
  const table = `step_up_${randomInt(1e9)}`
  const ended = sallyport(demo, 'dba', ['exec', 'orders-db'], {
    input: `CREATE TABLE ${table} (id int)`,
  })
  const waiting = async () => {
    const { body } = await call(demo, 'dba', 'GET', '/requests?scope=mine&state=pending')
    return z
      .array(AccessRequest)
      .parse(body)
      .find(({ text }) => text?.includes(table))
  }
  await expect.poll(waiting).toBeDefined()
  const request = await waiting()
  if (request === undefined) throw new Error('the request went away')
  return { id: request.id, ended }
}

async function withdraw({ id, ended }: { id: string; ended: Promise<Ran> }): Promise<void> {
  expect((await sallyport(demo, 'dba', ['cancel', id])).code).toBe(0)
  await ended
}

describe.skipIf(chromiumPath === undefined)('a second factor, where policy wants one', secondTry, () => {
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser?.close()
  })

  test('in the client: given up, nothing is decided; confirmed, it is approved, and the next needs no other', async () => {
    const grace: Client = await openClient(browser, demo)
    try {
      await signIn(grace, demo, 'grace')
      const { page } = grace
      const asked = await held()
      await page.keyboard.press('Control+2')
      await page.getByRole('radio', { name: /^To review/ }).click()
      await page
        .getByRole('button', { name: /CREATE step_up/ })
        .first()
        .click()
      const approve = page.getByRole('complementary', { name: 'Decision', exact: true }).getByRole('button', {
        name: /^Approve/,
      })
      const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' })
      let opened = grace.context.waitForEvent('page')
      await approve.click()
      await dialog.getByText(/prod-ddl-approval: This takes a sign-in with a second factor/).waitFor()
      await (await opened).close()
      await dialog.getByRole('button', { name: 'Cancel', exact: true }).last().click()
      await page
        .getByRole('alert')
        .getByText(/Not confirmed, so nothing was done/)
        .waitFor()
      const state = async () =>
        AccessRequest.parse((await call(demo, 'dba', 'GET', `/requests/${asked.id}`)).body).state
      expect(await state()).toBe('pending')

      opened = grace.context.waitForEvent('page')
      await approve.click()
      const provider = await opened
      await fillIn(provider, demo, 'grace')
      await secondFactor(provider)
      expect((await asked.ended).code).toBe(0)
      expect(await state()).toBe('approved')
      await dialog.waitFor({ state: 'detached' })
      await provider.close()

      const next = await held()
      await page
        .getByRole('button', { name: /CREATE step_up/ })
        .first()
        .click()
      await approve.click()
      expect((await next.ended).code).toBe(0)
      expect(grace.errors).toEqual([])
    } finally {
      await grace.close()
    }
  })

  test('from the command line: the page to confirm on is named, and the approval goes on', async () => {
    const grace = await personCli(browser, demo, 'grace')
    try {
      const asked = await held()
      const as = (username: string) => async (page: Page) => {
        await fillIn(page, demo, username)
        await secondFactor(page)
      }
      const stranger = await grace.run(['approve', asked.id], { walk: as('ada') })
      expect(stranger.code).toBe(3)
      expect(stranger.stderr).toMatch(/signed in as grace, and confirmed as ada/)

      const approved = await grace.run(['approve', asked.id], { walk: as('grace') })
      expect(approved.stderr).toMatch(/prod-ddl-approval: This takes a sign-in with a second factor/)
      expect(approved.stderr).toMatch(/is approved/)
      expect(approved.code).toBe(0)
      expect((await asked.ended).code).toBe(0)
    } finally {
      await grace.close()
    }
  })

  test('over the API: a problem that names what is missing; a machine is told that it can’t', async () => {
    const asked = await held()
    const own = await call(demo, 'dba', 'POST', `/requests/${asked.id}/approve`, {})
    expect(own.status).toBe(403)
    await withdraw(asked)
  })
})
