/**
 * The tree of actions (INTERFACES.md, Policy): a permit or a grant on a parent covers its children.
 * One action per SQL statement kind, under the class of effect it has.
 */
export const actionParents = {
  connect: null,
  'sql:read': null,
  'sql:select': 'sql:read',
  'sql:show': 'sql:read',
  'sql:explain': 'sql:read',
  'sql:fetch': 'sql:read',
  /** BEGIN, COMMIT, SET, PREPARE, DEALLOCATE, DISCARD, LOCK in share mode: state of the own session only. */
  'sql:session': 'sql:read',
  'sql:listen': 'sql:read',
  /** COPY … TO STDOUT. */
  'sql:copy': 'sql:read',
  'sql:write': null,
  'sql:insert': 'sql:write',
  'sql:update': 'sql:write',
  'sql:delete': 'sql:write',
  'sql:merge': 'sql:write',
  'sql:truncate': 'sql:write',
  /** COPY … FROM STDIN. */
  'sql:copy-in': 'sql:write',
  'sql:lock': 'sql:write',
  'sql:notify': 'sql:write',
  'sql:call': 'sql:write',
  'sql:do': 'sql:write',
  'sql:ddl': null,
  'sql:create': 'sql:ddl',
  'sql:alter': 'sql:ddl',
  'sql:drop': 'sql:ddl',
  'sql:comment': 'sql:ddl',
  'sql:vacuum': 'sql:ddl',
  'sql:reindex': 'sql:ddl',
  'sql:refresh': 'sql:ddl',
  'sql:admin': null,
  'sql:grant': 'sql:admin',
  'sql:role': 'sql:admin',
  'sql:system': 'sql:admin',
  'sql:replication': 'sql:admin',
  /** COPY to or from a file or program of the server. */
  'sql:copy-file': 'sql:admin',
  /** A statement that the parser or classifier does not know. */
  'sql:unknown': 'sql:admin',
  'ssh:shell': null,
  'ssh:exec': null,
  'ssh:sftp': null,
  'ssh:forward': null,
  'rdp:connect': null,
  /** What crosses the clipboard; `context.direction` says which way. */
  'rdp:clipboard': null,
  /** The text of what crosses the clipboard is put on the recording, masked. Else its size alone is. */
  'rdp:clipboard-content': null,
  'rdp:drive': null,
  'rdp:printer': null,
  /** Sound of the desktop, and the microphone. */
  'rdp:audio': null,
  'rdp:usb': null,
  unmask: null,
  review: null,
  replay: null,
  kill: null,
} as const satisfies Record<string, string | null>

export type Action = keyof typeof actionParents

export const actions = Object.keys(actionParents) as readonly Action[]

export function isAction(text: string): text is Action {
  return Object.hasOwn(actionParents, text)
}

/** True when `granted` is `action` itself or one of its ancestors. */
export function covers(granted: string, action: Action): boolean {
  for (let a: string | null = action; a !== null; a = isAction(a) ? actionParents[a] : null) {
    if (a === granted) return true
  }
  return false
}
