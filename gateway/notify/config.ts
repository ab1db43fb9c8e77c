import { z } from 'zod'

/** `notify` in the gateway's configuration: the channels that `@notify` names, and how people are reached. */

const name = z.string().min(1).max(100)
const secureUrl = z.url({ protocol: /^https?$/ })
/** Groups whose requests a channel hears of, also where no `@notify` names it. */
const groups = z.array(z.string().min(1)).default([])

export const Channel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('email'), name, groups, to: z.array(z.email()).min(1) }),
  /** An incoming webhook's `url`; or `channel`, with the token under `slack`, for buttons. */
  z.strictObject({ kind: z.literal('slack'), name, groups, url: secureUrl.optional(), channel: z.string().optional() }),
  /** A workflow that takes adaptive cards. */
  z.strictObject({ kind: z.literal('teams'), name, groups, url: secureUrl }),
  /** Signed as Standard Webhooks say; `secret` is `whsec_` and base64. */
  z.strictObject({
    kind: z.literal('webhook'),
    name,
    groups,
    url: secureUrl,
    secret: z.string().regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'a secret is whsec_ and at least 24 bytes in base64'),
  }),
])
export type Channel = z.infer<typeof Channel>

export const NotifyConfig = z
  .strictObject({
    channels: z.array(Channel).default([]),
    /** By login name: where a person is told what becomes of their requests, and who acts when a Slack button is pressed. */
    people: z
      .record(z.string(), z.strictObject({ email: z.email().optional(), slack: z.string().min(1).optional() }))
      .default({}),
    smtp: z
      .strictObject({
        host: z.string().min(1),
        port: z.number().int().min(1).max(65535).default(587),
        /** TLS from the start (port 465). Otherwise STARTTLS is required, but on loopback. */
        secure: z.boolean().default(false),
        user: z.string().optional(),
        password: z.string().optional(),
        from: z.string().min(3),
      })
      .optional(),
    slack: z
      .strictObject({
        token: z.string().min(1),
        /** Without it no button is offered, and none is heard. */
        signingSecret: z.string().min(16).optional(),
        api: secureUrl.default('https://slack.com/api'),
      })
      .optional(),
  })
  .superRefine(({ channels, people, smtp, slack }, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    channels.forEach((channel, index) => {
      if (channels.findIndex((other) => other.name === channel.name) !== index) {
        issue(['channels', index, 'name'], `another channel is already called ${channel.name}`)
      }
      if (channel.kind === 'email' && smtp === undefined)
        issue(['channels', index], 'e-mail needs smtp beside channels')
      if (channel.kind === 'slack') {
        if ((channel.url === undefined) === (channel.channel === undefined)) {
          issue(['channels', index], 'a slack channel has a url or a channel, and not both')
        }
        if (channel.channel !== undefined && slack === undefined) {
          issue(['channels', index], 'a channel needs slack.token; without it, give the url of an incoming webhook')
        }
      }
    })
    const byId = new Set<string>()
    for (const [person, { slack: id }] of Object.entries(people)) {
      if (id !== undefined && byId.has(id)) issue(['people', person, 'slack'], `${id} is already somebody else`)
      if (id !== undefined) byId.add(id)
    }
  })
export type NotifyConfig = z.infer<typeof NotifyConfig>
