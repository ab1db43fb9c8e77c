import type { Line } from './line.ts'
import type { Path } from './paths.ts'
import type { Portal } from './prepared.ts'
import { redefined, unknown } from './referred.ts'
import { Judged, type Meaning } from './statements.ts'

/** A portal's own names were looked up when it was made; those in code that it runs, and that code, are whenever that runs. */
export function asItRuns(portal: Portal, path: Path, line: Line): Judged | undefined {
  const { judged } = portal
  const { current } = line.target
  const isRedefined = current !== undefined && portal.catalog !== current
  if (judged === undefined || (judged.analysis.code !== true && !isRedefined)) return judged
  const { meaning } = line
  const isSame = path === 'same' && portal.path?.join('\0') === meaning?.searchPath.join('\0')
  if (isRedefined && meaning !== undefined) return asDefinedNow(portal, judged, meaning, isSame, line)
  if (isSame) return judged
  portal.moved ??= readAgain(portal, judged, meaning, false, line)
  return portal.moved
}

function asDefinedNow(portal: Portal, judged: Judged, meaning: Meaning, isSame: boolean, line: Line): Judged {
  const { catalog } = meaning
  const known = portal.redefined
  if (known?.catalog === catalog && known.isSame === isSame) return known.judged
  const now = redefined(judged, readAgain(portal, judged, meaning, isSame, line))
  portal.redefined = { catalog, isSame, judged: now }
  return now
}

/** Under the search_path that it was made under, and for code under that or whatever it is by now. */
function readAgain(
  { prepared, path }: Portal,
  judged: Judged,
  meaning: Meaning | undefined,
  isSame: boolean,
  line: Line,
): Judged {
  const script = meaning && line.scripts.fresh(prepared.text, meaning, path, isSame ? undefined : 'deferred')
  const [only, second] = script?.ok ? script.statements : []
  if (second !== undefined || only === undefined) return unknown(judged)
  const made = prepared.bySql
    ? only.analysis.effects.find(({ kind }) => kind === 'prepare' || kind === 'declare')
    : undefined
  const analysis = made?.kind === 'prepare' || made?.kind === 'declare' ? made.statement : only.analysis
  return new Judged(analysis, judged.count, judged, only.reads)
}
