import type { AccessRequest, Connection, RequestMetrics, SchemaTable, Session } from '../../../shared/api/models.ts'
import type { Decision, Grant, PolicyRef } from '../../../shared/decision.ts'
import type { Principal } from '../../../shared/principal.ts'
import type { RecordingEvent } from '../../../shared/recording.ts'
import type { Diagnostics, Endpoint, Problem } from '../../../shared/rpc/contract.ts'
import type { HistoryEntry, SavedQuery } from '../../../shared/rpc/editor.ts'

/** A small made-up company for the component harness: no server of the product is behind it. */
export const people: Record<'linus' | 'ada' | 'grace', Principal> = {
  linus: { kind: 'user', id: 'linus', name: 'Linus Falk', groups: ['engineers', 'on-call'] },
  ada: { kind: 'user', id: 'ada', name: 'Ada Brandt', groups: ['engineers'] },
  grace: { kind: 'user', id: 'grace', name: 'Grace Moreau', groups: ['dba'] },
}

const minutes = (n: number): number => n * 60_000
export const at = (offset: number): string => new Date(Date.now() + offset).toISOString()

export const policies = {
  pii: { id: 'pii-default', reason: 'Personal data is hidden unless a grant says otherwise.' },
  write: { id: 'prod-write-approval', reason: 'A write in production needs one approval from dba.' },
  unbounded: { id: 'no-unbounded-write', reason: 'This statement has no WHERE clause, so it would change every row.' },
  ddl: { id: 'prod-no-ddl', reason: 'Schema changes are never granted on this connection.' },
} as const satisfies Record<string, PolicyRef>

export const approval = { group: 'dba', count: 2, windowSeconds: 1800, notify: [] }
const allow: Decision = { verdict: 'allow', policies: [{ id: 'read-all', reason: 'Everyone reads.' }] }
const hold: Decision = { verdict: 'hold', policy: policies.write, approval }
const block: Decision = { verdict: 'block', policy: policies.ddl }

const ref = (name: string, kind: Connection['kind'], environment: Connection['environment']) => ({
  name,
  kind,
  environment,
  tags: ['payments'],
})

function database(name: string, environment: Connection['environment'], access: Connection['access']): Connection {
  return {
    ...ref(name, 'postgres', environment),
    description: 'customers, orders and payments',
    access,
    reachable: true,
    database: 'orders',
    actions: [
      { action: 'sql:select', decision: allow },
      { action: 'sql:explain', decision: allow },
      { action: 'sql:insert', decision: hold },
      { action: 'sql:update', decision: hold },
      { action: 'sql:delete', decision: hold },
      { action: 'sql:create', decision: block },
      { action: 'sql:drop', decision: block },
    ],
    dataClasses: ['email', 'card'].map((dataClass) => ({
      name: dataClass,
      unmask: { verdict: 'masked', policy: policies.pii, approval },
    })),
  }
}

function host(name: string, environment: Connection['environment'], reachable = true): Connection {
  return {
    ...ref(name, 'ssh', environment),
    description: 'web server',
    access: 'open',
    reachable,
    actions: [
      { action: 'ssh:shell', decision: allow },
      { action: 'ssh:exec', decision: hold },
    ],
    dataClasses: [],
  }
}

export const desktopPolicies = {
  copyOut: { id: 'rdp-no-copy-out', reason: 'What is on a finance desktop stays there.' },
  drives: { id: 'rdp-no-drives', reason: 'No local folder is shared with a finance desktop.' },
  usb: { id: 'rdp-usb-approval', reason: 'A device needs one approval from dba.' },
} as const satisfies Record<string, PolicyRef>

function desktopOf(name: string, environment: Connection['environment']): Connection {
  return {
    ...ref(name, 'rdp', environment),
    description: 'finance desktop',
    access: 'open',
    reachable: true,
    actions: [
      { action: 'rdp:connect', decision: allow },
      { action: 'rdp:clipboard', direction: 'in', decision: allow },
      { action: 'rdp:clipboard', direction: 'out', decision: { verdict: 'block', policy: desktopPolicies.copyOut } },
      { action: 'rdp:drive', decision: { verdict: 'block', policy: desktopPolicies.drives } },
      { action: 'rdp:printer', decision: { verdict: 'block', policy: desktopPolicies.drives } },
      { action: 'rdp:audio', decision: allow },
      { action: 'rdp:usb', decision: { verdict: 'hold', policy: desktopPolicies.usb, approval } },
    ],
    dataClasses: [],
  }
}

export const connections: Connection[] = [
  database('orders-db', 'production', 'open'),
  database('ledger-main', 'production', 'locked'),
  host('web-1', 'production'),
  host('edge-fra-03', 'production', false),
  desktopOf('fin-desk-01', 'production'),
  database('analytics-db', 'staging', 'open'),
  host('app-stg-01', 'staging'),
  database('orders-dev', 'development', 'open'),
]

const table = (name: string, columns: readonly string[], masked: readonly string[] = []): SchemaTable => ({
  schema: 'public',
  name,
  kind: 'table',
  columns: columns.map((column) => ({
    name: column,
    type: column === 'id' ? 'int4' : 'text',
    masked: masked.includes(column),
    ...(masked.includes(column) ? { dataClass: column } : {}),
  })),
})

export const schema: SchemaTable[] = [
  table('customers', ['id', 'name', 'email', 'card_number', 'country'], ['email', 'card_number']),
  table('orders', ['id', 'customer_id', 'status', 'total']),
  table('payments', ['id', 'order_id', 'method', 'card_last4'], ['card_last4']),
]

export const grant: Grant = {
  id: 'grant-1',
  principalId: 'linus',
  connection: 'orders-db',
  actions: ['sql:write'],
  dataClasses: [],
  startsAt: at(-minutes(10)),
  endsAt: at(minutes(41)),
  requestId: 'req-granted',
  approvedBy: ['grace'],
}

const request = (fields: Partial<AccessRequest> & Pick<AccessRequest, 'id'>): AccessRequest => ({
  kind: 'once',
  state: 'pending',
  requester: people.ada,
  connection: ref('ledger-main', 'postgres', 'production'),
  reason: 'Reverse pending settlements from the duplicated batch before the 15:30 payout run.',
  createdAt: at(-minutes(7)),
  expiresAt: at(minutes(22)),
  policy: policies.write,
  approval,
  reviews: [{ by: 'grace', verdict: 'approve', reason: 'Matches step 4 of the runbook.', at: at(-minutes(3)) }],
  action: 'sql:update',
  text: "UPDATE settlements\n   SET state = 'reversed', reversed_at = now()\n WHERE batch_id = 'rt-20311'\n   AND state = 'pending';",
  textSha256: '9f31c07e4417a0b2d5512c77df05ab3190e41c5b8806eecd43f1aa02c9775b1c',
  tables: ['public.settlements'],
  actions: [],
  dataClasses: [],
  sourceIp: '10.20.0.14',
  canReview: true,
  origin: { sourceIp: '10.20.0.14', mfa: true, client: 'desktop', onCall: true },
  ...fields,
})

export const requests: AccessRequest[] = [
  request({
    id: 'req-1',
    columns: ['state', 'reversed_at', 'batch_id'].map((column) => `public.settlements.${column}`),
    binding: { database: 'ledger', search_path: 'public', role: 'ledger_app' },
    estimate: { state: 'planned', rows: 214, at: at(-minutes(7)) },
    earlier: [
      {
        id: 'req-granted',
        kind: 'grant',
        state: 'approved',
        connection: 'orders-db',
        policy: 'prod-write-approval',
        action: 'sql:write',
        createdAt: at(-minutes(90)),
        by: ['grace'],
      },
      {
        id: 'req-denied',
        kind: 'once',
        state: 'denied',
        connection: 'ledger-main',
        policy: 'prod-write-approval',
        action: 'sql:delete',
        createdAt: at(-minutes(60 * 49)),
        by: ['grace'],
      },
    ],
  }),
  request({
    id: 'req-2',
    kind: 'grant',
    connection: ref('web-1', 'ssh', 'production'),
    actions: ['ssh:exec'],
    durationSeconds: 3600,
    reviews: [],
    tables: [],
    reason: 'Restart the checkout workers one by one.',
  }),
  request({
    id: 'req-3',
    requester: people.linus,
    canReview: false,
    whyNot: 'No one approves a request of their own.',
    text: "DELETE FROM payments WHERE batch_id = 'rt-20311';",
    action: 'sql:delete',
    tables: ['public.payments'],
    connection: ref('orders-db', 'postgres', 'production'),
  }),
  request({
    id: 'req-granted',
    kind: 'grant',
    state: 'approved',
    requester: people.linus,
    connection: ref('orders-db', 'postgres', 'production'),
    actions: ['sql:write'],
    durationSeconds: 3600,
    canReview: false,
    grant,
    decidedAt: at(-minutes(10)),
  }),
  request({
    id: 'req-denied',
    state: 'denied',
    requester: people.linus,
    canReview: false,
    decidedAt: at(-minutes(90)),
    reviews: [{ by: 'grace', verdict: 'deny', reason: 'Use the debug replica.', at: at(-minutes(90)) }],
  }),
]

/** A month of approvals. */
export function metrics(): RequestMetrics {
  const share = (asked: number, medianSeconds: number) => ({
    asked,
    approved: Math.round(asked * 0.7),
    denied: Math.round(asked * 0.1),
    expired: Math.round(asked * 0.1),
    cancelled: Math.round(asked * 0.05),
    pending: Math.round(asked * 0.05),
    automatic: Math.round(asked * 0.2),
    breakGlass: asked > 20 ? 1 : 0,
    medianSeconds,
    p90Seconds: medianSeconds * 3.4,
  })
  const days = Array.from({ length: 30 }, (_, i) => 30 - i)
  return {
    from: at(-minutes(30 * 24 * 60)),
    to: at(0),
    total: share(412, 214),
    byRule: [
      { policy: 'prod-write-approval', ...share(230, 190) },
      { policy: 'pii-unmask', ...share(120, 420) },
      { policy: 'ssh-sudo', ...share(62, 95) },
    ],
    byGroup: [
      { group: 'dba', ...share(350, 240) },
      { group: 'on-call', ...share(62, 95) },
    ],
    byDay: days
      .filter((day) => day % 7 > 1)
      .map((day) => ({ day: at(-minutes(day * 24 * 60)).slice(0, 10), ...share(8 + ((day * 7) % 19), 200) })),
  }
}

const session = (fields: Pick<Session, 'id' | 'connection'> & Partial<Session>): Session => ({
  principal: people.ada,
  door: 'desktop',
  state: 'ended',
  startedAt: at(-minutes(60)),
  endedAt: at(-minutes(28)),
  endReason: 'closed by the client',
  sourceIp: '10.20.0.14',
  counts: { allowed: 12, masked: 2, granted: 1, blocked: 1, held: 1 },
  canKill: false,
  canReplay: true,
  ...fields,
})

export const sessions: Session[] = [
  session({ id: 'ses-sql', connection: ref('orders-db', 'postgres', 'production') }),
  session({ id: 'ses-ssh', connection: ref('web-1', 'ssh', 'production') }),
  session({
    id: 'ses-desk',
    principal: people.linus,
    connection: ref('fin-desk-01', 'rdp', 'production'),
    counts: { allowed: 4, masked: 0, granted: 0, blocked: 2, held: 0 },
  }),
  session({ id: 'ses-live', connection: ref('analytics-db', 'postgres', 'staging'), state: 'live', canKill: true }),
]

const masks = ['email', 'card_number'].map((label, position) => ({
  source: `public.customers.${label}`,
  label,
  position: position + 2,
  dataClass: label === 'email' ? 'email' : 'card',
  policy: policies.pii,
  requestable: true,
}))

export { masks }

const sqlTexts: readonly (readonly [string, Extract<RecordingEvent, { type: 'request' }>['outcome']])[] = [
  ['SELECT id, status, total FROM orders WHERE id = 884213', 'allowed'],
  ['SELECT name, email FROM customers WHERE id = 40122', 'masked'],
  ["UPDATE refunds SET state = 'done'", 'blocked'],
  ["UPDATE refunds\n   SET state = 'done'\n WHERE batch = 'r-118'", 'held'],
  ["UPDATE refunds SET note = 'r-118 closed' WHERE id = 9817", 'granted'],
  ["SELECT count(*) FROM refunds WHERE state = 'pending'", 'allowed'],
  ['SELECT state, count(*) FROM refunds GROUP BY state', 'allowed'],
]

export const sqlRecording: RecordingEvent[] = sqlTexts.flatMap(([text, outcome], i): RecordingEvent[] => {
  const n = i + 1
  const start = i * 97_000
  const policy = {
    masked: policies.pii,
    blocked: policies.unbounded,
    held: policies.write,
    granted: policies.write,
    allowed: undefined,
  }[outcome]
  const events: RecordingEvent[] = [
    {
      type: 'request',
      at: start,
      n,
      action: 'sql:select',
      text,
      outcome,
      ...(policy === undefined ? {} : { policy }),
      ...(outcome === 'masked' ? { masks: masks.slice(0, 1) } : {}),
      tables: ['public.refunds'],
    },
  ]
  if (outcome === 'held') {
    events.push({
      type: 'decided',
      at: start + 60_000,
      n,
      outcome: 'approved',
      by: ['grace'],
      requestId: 'req-9',
      reason: 'Looks right.',
    })
  }
  if (outcome !== 'blocked') {
    events.push({ type: 'complete', at: start + 61_000, n, ok: true, rows: 1 + i * 7, dbMs: 3 + i, gatewayMs: 0.4 })
  }
  return events
})

const prompt = '\u001b[34mada\u001b[90m@\u001b[35mweb-1\u001b[90m ~ $\u001b[0m '

export const sshRecording: RecordingEvent[] = [
  { type: 'request', at: 0, n: 1, action: 'ssh:shell', text: 'shell', outcome: 'allowed' },
  { type: 'output', at: 400, data: prompt },
  {
    type: 'output',
    at: 4_000,
    data: 'ss -ltnp | head -3\r\nLISTEN 0 511  *:443   nginx\r\nLISTEN 0 128  *:8080  checkout\r\n',
  },
  { type: 'output', at: 4_200, data: `${prompt}tail -n 3 access.log\r\n` },
  {
    type: 'output',
    at: 30_000,
    data: '14:59:31 200 POST /checkout   184 ms  a•••@•••.com\r\n14:59:33 502 POST /checkout  5003 ms  m•••@•••.com\r\n',
  },
  { type: 'masked', at: 30_010, classes: { email: 2 }, policy: policies.pii },
  {
    type: 'request',
    at: 52_000,
    n: 2,
    action: 'ssh:exec',
    text: 'sudo iptables -F',
    outcome: 'blocked',
    policy: policies.unbounded,
  },
  {
    type: 'output',
    at: 53_000,
    data: `${prompt}env | grep DB_\r\nDB_HOST=orders-db\r\nDB_URL=postgres://checkout:••••••••@orders-db/orders\r\n`,
  },
  { type: 'masked', at: 53_010, classes: { password: 1 }, policy: policies.pii },
  { type: 'output', at: 61_000, data: prompt },
  { type: 'end', at: 65_000, reason: 'closed by the client' },
]

export { prompt }

const endpoint = (
  connection: string,
  kind: Connection['kind'],
  port: number,
  change: Partial<Endpoint> = {},
): Endpoint => ({
  connection,
  kind,
  host: '127.0.0.1',
  port,
  user: 'linus',
  ...(kind === 'postgres' ? { database: 'orders' } : {}),
  open: false,
  clients: 0,
  atStart: false,
  ...change,
})

export const taken: Problem = {
  code: 'conflict',
  message: 'Port 12023 is in use by another program.',
  hint: 'See which one with: lsof -i :12023',
  action: 'retry',
}

export const endpoints: Endpoint[] = [
  endpoint('orders-db', 'postgres', 15432, { open: true, clients: 2, atStart: true }),
  endpoint('ledger-main', 'postgres', 15433),
  endpoint('web-1', 'ssh', 12022, { open: true }),
  endpoint('edge-fra-03', 'ssh', 12023, { problem: taken, freePort: 12024 }),
  endpoint('analytics-db', 'postgres', 15434),
  endpoint('app-stg-01', 'ssh', 12025),
  endpoint('orders-dev', 'postgres', 15435),
]

export const diagnostics: Diagnostics = {
  name: 'sallyport-diagnostics-2026-11-23T143200.json',
  text: `${JSON.stringify({ madeAt: at(0), client: { shell: 'browser', os: 'mac', version: '0.1.0' }, log: [] }, null, 2)}\n`,
}

export const ranStatements: HistoryEntry[] = [
  {
    id: 'ran-1',
    at: at(-120_000),
    connection: 'orders-db',
    text: "SELECT c.id, c.email FROM customers c WHERE c.country = 'DE'",
    outcome: 'masked',
    rows: 200,
    ms: 12,
  },
  {
    id: 'ran-2',
    at: at(-3600_000),
    connection: 'orders-db',
    text: "UPDATE payments SET status = 'void'",
    outcome: 'blocked',
  },
]

export const savedQueries: SavedQuery[] = [
  {
    id: 'saved-1',
    savedAt: at(-86_400_000),
    name: 'Duplicate charges',
    folder: 'incidents',
    connection: 'orders-db',
    text: 'SELECT order_id, count(*) FROM payments GROUP BY order_id HAVING count(*) > 1',
  },
]
