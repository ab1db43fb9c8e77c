import type { Endpoint, Platform } from '../../shared/rpc/contract.ts'

/** What a native tool needs to reach an endpoint, ready to be pasted. */
export interface Snippet {
  tool: string
  text: string
  /** Where it goes. */
  how: string
}

/** One for each tool that people reach this kind with; the first is the plain command here. No password: the app signs in for them. */
export function snippetsOf(endpoint: Endpoint, os: Platform['os']): readonly Snippet[] {
  switch (endpoint.kind) {
    case 'postgres':
      return postgres(endpoint)
    case 'ssh':
      return ssh(endpoint)
    case 'rdp':
      return rdp(endpoint, os)
    case 'kubernetes':
      return kubernetes(endpoint)
    case 'http':
      return [
        {
          tool: 'URL',
          text: `http://${endpoint.host}:${endpoint.port}/`,
          how: 'For a browser, curl or any HTTP client.',
        },
      ]
    default:
      return [{ tool: 'Address', text: `${endpoint.host}:${endpoint.port}`, how: 'Host and port, for any tool.' }]
  }
}

/** What shows a desktop there, as `main/rdp/programs.ts` looks for it first. */
const desktopPrograms: Readonly<Record<Platform['os'], string>> = {
  mac: 'Windows App',
  windows: 'mstsc',
  linux: 'FreeRDP, Remmina',
}

/** The command in few words, for where there is little room. */
export function briefOf({ kind, host, port }: Endpoint, os: Platform['os']): string {
  if (kind === 'postgres') return `psql -p ${port}`
  if (kind === 'ssh') return `ssh -p ${port}`
  if (kind === 'rdp') return desktopPrograms[os]
  if (kind === 'kubernetes') return 'kubectl'
  return `${host}:${port}`
}

function postgres({ connection, host, port, user, database = connection }: Endpoint): readonly Snippet[] {
  const name = `${connection} (Sallyport)`
  const url = `${host}:${port}/${encodeURIComponent(database)}`
  const jdbc = `jdbc:postgresql://${url}?sslmode=disable`
  const con = { driver: 'postgresql', name, host, port, database, user, 'prop.sslmode': 'disable', connect: 'true' }
  const dbeaver = Object.entries(con).map(([key, value]) => `${key}=${String(value).replaceAll('|', ' ')}`)
  return [
    {
      tool: 'psql',
      text: `psql -h ${host} -p ${port} -U ${shell(user)} ${shell(database)}`,
      how: 'In a terminal. pg_dump, pgbench and the others take the same options.',
    },
    {
      tool: 'DBeaver',
      text: `dbeaver -con ${shell(dbeaver.join('|'))}`,
      how: 'In a terminal: opens DBeaver with the connection.',
    },
    {
      tool: 'DataGrip',
      text: [
        '#DataSourceSettings#',
        `#LocalDataSource: ${name}`,
        '#BEGIN#',
        `<data-source source="LOCAL" name="${xml(name)}"><database-info product="" version=""/>` +
          '<driver-ref>postgresql</driver-ref><synchronize>true</synchronize>' +
          `<jdbc-driver>org.postgresql.Driver</jdbc-driver><jdbc-url>${xml(jdbc)}</jdbc-url>` +
          `<auth-provider>no-auth</auth-provider><user-name>${xml(user)}</user-name></data-source>`,
        '#END#',
      ].join('\n'),
      how: 'Copy it, then in DataGrip: New, Import from Clipboard.',
    },
    { tool: 'JDBC', text: `${jdbc}&user=${encodeURIComponent(user)}`, how: 'The URL of a data source.' },
    {
      tool: 'URI',
      text: `postgresql://${encodeURIComponent(user)}@${url}?sslmode=disable`,
      how: 'For libpq and most drivers.',
    },
  ]
}

function ssh({ connection, host, port, user }: Endpoint): readonly Snippet[] {
  return [
    { tool: 'ssh', text: `ssh -p ${port} ${shell(`${user}@${host}`)}`, how: 'In a terminal.' },
    {
      tool: '~/.ssh/config',
      text: [
        `Host ${connection}`,
        `  HostName ${host}`,
        `  Port ${port}`,
        `  User ${user.includes(' ') ? `"${user}"` : user}`,
        // Every endpoint is on this host: without it, each would seem to have changed the key of the one before.
        `  HostKeyAlias sallyport-${connection}`,
      ].join('\n'),
      how: `Add it to the file; then ssh, scp, rsync and git reach it as ${connection}.`,
    },
    { tool: 'scp', text: `scp -P ${port} FILE ${shell(`${user}@${host}:`)}`, how: 'In a terminal.' },
  ]
}

function rdp({ host, port, user }: Endpoint, os: Platform['os']): readonly Snippet[] {
  const mstsc = { tool: 'mstsc', text: `mstsc /v:${host}:${port}`, how: 'In a terminal on Windows.' }
  const file = {
    tool: '.rdp file',
    text: [`full address:s:${host}:${port}`, `username:s:${user}`, 'prompt for credentials:i:0'].join('\r\n'),
    how: 'Save it with the ending .rdp, for Windows App, Remmina and others.',
  }
  const freerdp = { tool: 'FreeRDP', text: `xfreerdp /v:${host}:${port} /u:${shell(user)}`, how: 'In a terminal.' }
  switch (os) {
    case 'windows':
      return [mstsc, file, freerdp]
    case 'mac':
      return [file, freerdp]
    case 'linux':
      return [freerdp, file]
    default:
      return os satisfies never
  }
}

function kubernetes({ connection, host, port }: Endpoint): readonly Snippet[] {
  const name = `sallyport-${connection}`
  return [
    {
      tool: 'kubectl',
      text: `kubectl --server=http://${host}:${port} get pods`,
      how: 'In a terminal.',
    },
    {
      tool: 'kubeconfig',
      text: [
        'apiVersion: v1',
        'kind: Config',
        `current-context: ${name}`,
        `clusters: [{ name: ${name}, cluster: { server: "http://${host}:${port}" } }]`,
        `contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name} } }]`,
        `users: [{ name: ${name}, user: {} }]`,
      ].join('\n'),
      how: 'Save it, and name the file in KUBECONFIG.',
    },
  ]
}

/** A word of a command line, for POSIX shells. */
function shell(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
