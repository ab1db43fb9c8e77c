export type Setting = readonly [name: string, value: string]

/**
 * The start-up parameter `options`, taken apart into the settings it stands for, as PostgreSQL's process_postgres_switches reads
 * it from a client. Undefined: PostgreSQL would refuse it too.
 */
export function readOptions(options: string): Setting[] | undefined {
  const words: string[] = []
  for (const match of options.matchAll(/(?:\\[\s\S]|[^\s\\])+/g)) words.push(match[0].replaceAll(/\\([\s\S])/g, '$1'))
  const settings: Setting[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!word.startsWith('-') || word === '-') return undefined
    // getopt: letters share a dash, and one that takes a value has the rest of the word, or the next one.
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] ?? ''
      const flag = flags.get(letter)
      if (flag !== undefined) {
        settings.push(...flag)
        continue
      }
      const valued = withValue.get(letter)
      if (valued === undefined) return undefined
      const value = at + 1 < word.length ? word.slice(at + 1) : words[++i]
      const found = value === undefined ? undefined : valued(value)
      if (found === undefined) return undefined
      settings.push(...found)
      break
    }
  }
  return settings
}

/** Letters without a value. Those that stand for nothing mean something to the server's own command line alone. */
const flags: ReadonlyMap<string, readonly Setting[]> = new Map<string, readonly Setting[]>([
  ['e', [['datestyle', 'euro']]],
  ['F', [['fsync', 'false']]],
  ['i', [['listen_addresses', '*']]],
  ['l', [['ssl', 'true']]],
  ['O', [['allow_system_table_mods', 'true']]],
  ['P', [['ignore_system_indexes', 'true']]],
  ['s', [['log_statement_stats', 'true']]],
  ['b', []],
  ['E', []],
  ['j', []],
  ['n', []],
  ['T', []],
])

type Read = (value: string) => readonly Setting[] | undefined

const one =
  (name: string): Read =>
  (value) => [[name, value]]
const ignored: Read = () => []

const plans: Readonly<Record<string, string>> = {
  s: 'enable_seqscan',
  i: 'enable_indexscan',
  o: 'enable_indexonlyscan',
  b: 'enable_bitmapscan',
  t: 'enable_tidscan',
  n: 'enable_nestloop',
  m: 'enable_mergejoin',
  h: 'enable_hashjoin',
}
const statistics: Readonly<Record<string, string>> = {
  pa: 'log_parser_stats',
  pl: 'log_planner_stats',
  ex: 'log_executor_stats',
}
/** What each level of `-d` adds to the ones below it. */
const debugging: readonly (readonly [level: number, name: string, value: string])[] = [
  [2, 'log_statement', 'all'],
  [3, 'debug_print_parse', 'true'],
  [4, 'debug_print_plan', 'true'],
  [5, 'debug_print_rewritten', 'true'],
]

const withValue: ReadonlyMap<string, Read> = new Map<string, Read>([
  ['c', assignment],
  ['-', assignment],
  ['B', one('shared_buffers')],
  ['h', one('listen_addresses')],
  ['k', one('unix_socket_directories')],
  ['N', one('max_connections')],
  ['p', one('port')],
  ['S', one('work_mem')],
  ['W', one('post_auth_delay')],
  ['C', ignored],
  ['D', ignored],
  ['r', ignored],
  ['v', ignored],
  ['f', (kind) => named(plans, kind, 'false')],
  ['t', (kind) => named(statistics, kind.slice(0, 2), 'true')],
  [
    'd',
    (value) => {
      const level = Number.parseInt(value, 10) || 0
      const added = debugging.filter(([from]) => level >= from).map(([, name, on]): Setting => [name, on])
      return [['log_min_messages', level > 0 ? `debug${level}` : 'notice'], ...added]
    },
  ],
])

function assignment(text: string): readonly Setting[] | undefined {
  const equals = text.indexOf('=')
  return equals < 1 ? undefined : [[text.slice(0, equals).replaceAll('-', '_'), text.slice(equals + 1)]]
}

function named(names: Readonly<Record<string, string>>, kind: string, value: string): readonly Setting[] | undefined {
  const name = Object.hasOwn(names, kind) ? names[kind] : undefined
  return name === undefined ? undefined : [[name, value]]
}
