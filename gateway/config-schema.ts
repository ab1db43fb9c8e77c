import { z } from 'zod'
import { ConnectionKind, ConnectionName, Environment } from '../shared/connection.ts'
import { NotifyConfig } from './notify/config.ts'
import { storeAddressProblem } from './store/store-address.ts'

/**
 * What a gateway is started with, secrets resolved. `config.ts` reads it from YAML.
 * What would make the gateway run open (plain HTTP to other machines, a host whose key is unknown) is refused here,
 * so that it holds for every way in.
 */

const Port = z.number().int().min(0).max(65535)
const Listen = z.strictObject({ host: z.string().min(1), port: Port })

/** PEM: how the agent signs in where the target asks for a client certificate. */
const ClientCertificate = { cert: z.string().min(1).exactOptional(), key: z.string().min(1).exactOptional() }
const isWhole = ({ cert, key }: { cert?: string; key?: string }) => (cert === undefined) === (key === undefined)
const certificateWhole = { path: ['cert'], message: 'a client certificate needs both cert and key' }

const negotiation = z.enum(['postgres', 'direct']).exactOptional()

const PostgresTarget = z.strictObject({
  kind: z.literal('postgres'),
  host: z.string().min(1),
  port: Port.min(1).default(5432),
  database: z.string().min(1),
  user: z.string().min(1),
  password: z.string(),
  maxProtocol: z.enum(['3.0', '3.2']).exactOptional(),
  tls: z.discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('disable') }),
    z.strictObject({ mode: z.literal('require'), negotiation, ...ClientCertificate }).refine(isWhole, certificateWhole),
    z
      .strictObject({
        mode: z.literal('verify-full'),
        ca: z.string().exactOptional(),
        servername: z.string().exactOptional(),
        negotiation,
        ...ClientCertificate,
      })
      .refine(isWhole, certificateWhole),
  ]),
})

const SshTarget = z.strictObject({
  kind: z.literal('ssh'),
  host: z.string().min(1),
  port: Port.min(1).default(22),
  user: z.string().min(1),
  privateKey: z.string().min(1),
  hostKeys: z
    .array(
      z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'a host key looks like SHA256:…, as ssh-keygen -lf prints it'),
    )
    .min(1, 'name at least one host key: a host whose key is unknown is never dialled')
    .readonly(),
})

const certificate = z
  .string()
  .regex(
    /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/,
    'a certificate looks like AA:BB:…, as openssl x509 -noout -fingerprint -sha256 prints it',
  )

const RdpTarget = z.strictObject({
  kind: z.literal('rdp'),
  host: z.string().min(1),
  port: Port.min(1).default(3389),
  user: z.string().min(1).max(255),
  domain: z.string().max(255).default(''),
  password: z.string().max(255),
  tls: z.discriminatedUnion('mode', [
    z.strictObject({
      mode: z.literal('pinned'),
      certificates: z
        .array(certificate)
        .min(1, 'name at least one certificate: a desktop that can not prove who it is is never dialled')
        .readonly(),
    }),
    z.strictObject({
      mode: z.literal('verify-full'),
      ca: z.string().exactOptional(),
      servername: z.string().exactOptional(),
    }),
  ]),
})

/** Sessions that may be open at this gateway at the same time. */
const Limits = z.strictObject({
  sessions: z.number().int().min(1).exactOptional(),
  perPerson: z.number().int().min(1).exactOptional(),
})
export type Limits = z.infer<typeof Limits>

export const ConnectionEntry = z
  .strictObject({
    name: ConnectionName,
    kind: ConnectionKind,
    environment: Environment,
    tags: z.array(z.string().min(1)).default([]),
    description: z.string().default(''),
    limits: Limits.exactOptional(),
    target: z.discriminatedUnion('kind', [PostgresTarget, SshTarget, RdpTarget]),
  })
  .refine((entry) => entry.kind === entry.target.kind, {
    path: ['target', 'kind'],
    message: 'the kind of the target is not the kind of the connection',
  })
export type ConnectionEntry = z.infer<typeof ConnectionEntry>

const principalId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/, 'letters, digits and . _ @ - only, at most 63')

/** A machine signs in with a secret, or with an ID token of an issuer that it is known to (a CI job). */
export const MachineEntry = z
  .strictObject({
    clientId: principalId,
    clientSecret: z.string().min(16, 'a machine secret has at least 16 characters').optional(),
    idToken: z.strictObject({ issuer: z.url(), audience: z.string().min(1), subject: z.string().min(1) }).optional(),
    name: z.string().min(1),
    groups: z.array(z.string().min(1)),
    /** The person whose machine it is: what the one asked for, the other can't approve. */
    owner: principalId.optional(),
  })
  .refine((entry) => (entry.clientSecret === undefined) !== (entry.idToken === undefined), {
    path: ['clientSecret'],
    message: 'a machine has a clientSecret or an idToken, and not both',
  })
export type MachineEntry = z.infer<typeof MachineEntry>

/** The clients people sign in with; a machine must not take their ids. */
export const publicClients = ['sallyport-desktop', 'sallyport-cli'] as const

export const GatewayConfig = z
  .strictObject({
    name: z.string().min(1).max(80),
    listen: Listen,
    /** How clients reach the gateway, when that is not `listen` itself (a load balancer, a DNS name). */
    publicUrl: z.url({ protocol: /^https?$/ }).optional(),
    /** PEM. */
    tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
    native: z
      .strictObject({
        postgres: Listen.optional(),
        ssh: Listen.optional(),
        /** Processes that serve PostgreSQL sessions; 0: the gateway's own. Unsaid: by the machine's cores. */
        workers: z.number().int().min(0).max(64).exactOptional(),
      })
      .default({}),
    dataDir: z.string().min(1),
    store: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('embedded') }),
        z.strictObject({ kind: z.literal('url'), url: z.url({ protocol: /^postgres(ql)?$/ }) }),
      ])
      .default({ kind: 'embedded' }),
    upstream: z.strictObject({
      issuer: z.url({ protocol: /^https?$/ }),
      clientId: z.string().min(1),
      clientSecret: z.string().min(1),
      /** The ID token claim that lists a person's groups. */
      groupsClaim: z.string().min(1).default('groups'),
      /**
       * What the provider calls a sign-in with a second factor: sent as `acr_values` when policy wants one, and taken for one where
       * the ID token's `acr` is it. `amr` (RFC 8176) says so too.
       */
      mfaAcr: z.string().min(1).default('http://schemas.openid.net/pape/policies/2007/06/multi-factor'),
    }),
    machines: z.array(MachineEntry).default([]),
    /** Groups whose members may turn people's accounts off and on; nobody, where there are none. */
    operators: z.array(z.string().min(1)).default([]),
    connections: z.array(ConnectionEntry),
    policyDir: z.string().min(1),
    /** Who is told outside the client. */
    notify: NotifyConfig.prefault({}),
    /** Hours after which a person has to sign in again, however active they are. */
    signInHours: z
      .number()
      .min(0.01)
      .max(24 * 7)
      .default(12),
  })
  .superRefine((config, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (config.tls === undefined && !isLoopback(config.listen.host)) {
      issue(
        ['listen', 'host'],
        'other machines can reach this address, so tls is required. Set tls, or listen on 127.0.0.1',
      )
    }
    for (const kind of ['postgres', 'ssh'] as const) {
      const native = config.native[kind]
      // SSH encrypts by itself.
      if (kind === 'postgres' && native !== undefined && config.tls === undefined && !isLoopback(native.host)) {
        issue(
          ['native', kind, 'host'],
          'other machines can reach this address, so tls is required. Set tls, or listen on 127.0.0.1',
        )
      }
    }
    if (config.publicUrl !== undefined && !isSecure(config.publicUrl)) {
      issue(['publicUrl'], 'people sign in here, so it must be https (http is for loopback addresses only)')
    }
    config.notify.channels.forEach((channel, index) => {
      if (channel.kind !== 'email' && channel.url !== undefined && !isSecure(channel.url)) {
        issue(
          ['notify', 'channels', index, 'url'],
          'what is told here must be https (http is for loopback addresses only)',
        )
      }
    })
    if (config.notify.slack !== undefined && !isSecure(config.notify.slack.api)) {
      issue(
        ['notify', 'slack', 'api'],
        'the token goes here, so it must be https (http is for loopback addresses only)',
      )
    }
    if (config.store.kind === 'url') {
      const problem = storeAddressProblem(config.store.url, isLoopback)
      if (problem !== undefined) issue(['store', 'url'], problem)
    }
    if (!isSecure(config.upstream.issuer)) {
      issue(['upstream', 'issuer'], 'the sign-in provider must be https (http is for loopback addresses only)')
    }
    unique(
      config.connections.map((entry) => entry.name),
      (index, name) => issue(['connections', index, 'name'], `another connection is already called ${name}`),
    )
    unique([...publicClients, ...config.machines.map((entry) => entry.clientId)], (index, id) =>
      issue(['machines', index - publicClients.length, 'clientId'], `${id} is already taken`),
    )
  })
export type GatewayConfig = z.infer<typeof GatewayConfig>
/** As written, with defaults still open. */
export type GatewayConfigInput = z.input<typeof GatewayConfig>

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Whether what is sent to this URL can't be read on the way. */
export function isSecure(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || isLoopback(hostname)
}

function unique(values: readonly string[], again: (index: number, value: string) => void): void {
  values.forEach((value, index) => {
    if (values.indexOf(value) !== index) again(index, value)
  })
}
