import { z } from 'zod'
import { ConnectionName } from '../connection.ts'
import { Problem } from './problem.ts'

export const Platform = z.object({
  shell: z.enum(['electron', 'browser']),
  os: z.enum(['mac', 'windows', 'linux']),
  /** Who shows `app.notices`: the desktop shell through the system, or the page through the browser it is in. */
  notifications: z.enum(['shell', 'page']),
  version: z.string(),
  /** The gateway this client last used or was started for; empty on first run. */
  gateway: z.string(),
})
export type Platform = z.infer<typeof Platform>

export const AuthState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('signed-out'), problem: Problem.optional() }),
  /** `code` is set for the device flow; `url` can be opened again. */
  z.object({ state: z.literal('waiting'), url: z.string(), code: z.string().optional(), expiresAt: z.iso.datetime() }),
  z.object({
    state: z.literal('signed-in'),
    gateway: z.string(),
    gatewayName: z.string(),
    person: z.object({ id: z.string(), name: z.string(), groups: z.array(z.string()) }),
    /** The browser waits for the person to prove again who they are, with a second factor; `why` says what for. */
    confirming: z
      .object({ url: z.string(), code: z.string().optional(), expiresAt: z.iso.datetime(), why: z.string() })
      .optional(),
  }),
  /** The sign-in ended while working: tabs keep what they hold. */
  z.object({
    state: z.literal('expired'),
    gateway: z.string(),
    gatewayName: z.string(),
    person: z.object({ id: z.string(), name: z.string(), groups: z.array(z.string()) }),
  }),
])
export type AuthState = z.infer<typeof AuthState>

/** Whether the gateway answers. `latencyMs` is the median of the last few round trips. */
export const LinkState = z.object({
  state: z.enum(['up', 'down']),
  latencyMs: z.number().optional(),
  since: z.iso.datetime(),
})
export type LinkState = z.infer<typeof LinkState>

/** How far a new version of the app is. `none`: this shell is not updated by itself, and `why` says what to do instead. */
export const UpdateState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('none'), why: z.string() }),
  z.object({ state: z.literal('current'), checkedAt: z.iso.datetime().optional() }),
  z.object({ state: z.literal('checking') }),
  z.object({ state: z.literal('available'), version: z.string() }),
  z.object({ state: z.literal('downloading'), version: z.string(), percent: z.number() }),
  /** Fetched, its signature verified; installed when the app closes, or now. */
  z.object({ state: z.literal('ready'), version: z.string() }),
  z.object({ state: z.literal('failed'), problem: Problem }),
])
export type UpdateState = z.infer<typeof UpdateState>

/** What support needs to know: versions, states and the log. No secret, no statement, no result. */
export const Diagnostics = z.object({
  /** A name for the file. */
  name: z.string(),
  /** JSON, indented: what the person reads before they hand it on. */
  text: z.string(),
})
export type Diagnostics = z.infer<typeof Diagnostics>

/** `sallyport://…`, parsed once. A link opens a view and never acts. */
export const DeepLink = z.discriminatedUnion('to', [
  z.object({
    to: z.literal('request'),
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    /** Where the cursor goes. Set by a notification's button; no link that comes from outside can. */
    focus: z.literal('deny').optional(),
  }),
  z.object({ to: z.literal('connection'), name: ConnectionName }),
  z.object({
    to: z.literal('session'),
    id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    /** Seconds into the recording. */
    at: z.number().int().min(0).optional(),
  }),
])
export type DeepLink = z.infer<typeof DeepLink>
