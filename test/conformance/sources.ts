import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { run, which } from '../support/run.ts'

/** PostgreSQL's own tests, of the version that is installed. They come with its source only. */
export interface Sources {
  version: string
  /** The whole of it. */
  source: string
  /** src/test. */
  tests: string
  /** src/test/regress. */
  regress: string
  /** A folder with regress.so, autoinc.so and refint.so. */
  libraries: string
  pipeline: string
  /** What upstream expects of libpq_pipeline on the wire. */
  traces: string
}

/** Where this machine gets its packages from. */
const aptFolder = '/etc/apt'

/**
 * Fetches and builds what is missing under `folder`, which is kept: the source through apt (its settings are not
 * touched), the compiler and headers have to be there. Rejects with what to install.
 */
export async function prepareSources(folder: string): Promise<Sources> {
  const installed = await run('dpkg-query', ['-W', 'postgresql-15'])
  if (installed.code !== 0) throw new Error('this needs Debian and its package postgresql-15')
  const version = installed.stdout.trim().split('\t')[1] ?? ''
  const place = join(folder, version)
  const source = join(place, 'source')
  if (!existsSync(source)) await fetchSource(place, version, source)
  const libraries = join(place, 'lib')
  const pipeline = join(place, 'libpq_pipeline')
  if (!existsSync(pipeline)) await build(source, libraries, pipeline)
  const tests = join(source, 'src', 'test')
  const traces = join(tests, 'modules', 'libpq_pipeline', 'traces')
  return { version, source, tests, regress: join(tests, 'regress'), libraries, pipeline, traces }
}

async function fetchSource(place: string, version: string, source: string): Promise<void> {
  const work = join(place, 'fetch')
  await mkdir(join(work, 'lists', 'partial'), { recursive: true })
  await sourceLists(join(work, 'sources.d'))
  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(work, 'sources.d'),
    'Dir::State::lists': join(work, 'lists'),
    'APT::Sandbox::User': 'root',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  await must('apt-get', [...options, '-qq', 'update'], work)
  await must('apt-get', [...options, '-qq', 'source', '--download-only', `postgresql-15=${version}`], work)
  const archive = (await readdir(work)).find((name) => /\.orig\.tar\./.test(name))
  if (archive === undefined) throw new Error('apt-get source brought no source archive')
  await must('tar', ['xf', archive], work)
  const unpacked = (await readdir(work)).find((name) => /^postgresql-15\.\d+$/.test(name))
  if (unpacked === undefined) throw new Error(`${archive} holds no postgresql-15 folder`)
  await rename(join(work, unpacked), source)
  await rm(work, { recursive: true, force: true })
}

/** The machine's own package lists, in both of apt's formats, asked for sources instead of binaries. */
async function sourceLists(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const parts = join(aptFolder, 'sources.list.d')
  const lists = (await readdir(parts)).map((name) => join(parts, name))
  for (const list of [join(aptFolder, 'sources.list'), ...lists]) {
    if (!existsSync(list)) continue
    const text = await readFile(list, 'utf8')
    if (list.endsWith('.list')) await writeFile(join(folder, basename(list)), text.replaceAll(/^deb\s/gm, 'deb-src '))
    if (list.endsWith('.sources'))
      await writeFile(join(folder, basename(list)), text.replaceAll(/^Types:.*$/gm, 'Types: deb-src'))
  }
}

async function build(source: string, libraries: string, pipeline: string): Promise<void> {
  const config = which('pg_config')
  if (config === undefined) throw new Error('this needs the package postgresql-server-dev-15')
  const ask = async (flag: string) => (await must(config, [flag], source)).trim()
  const [server, client, modules] = await Promise.all(['--includedir-server', '--includedir', '--pkglibdir'].map(ask))
  if (!existsSync(join(server ?? '', 'postgres.h'))) throw new Error('this needs the package postgresql-server-dev-15')
  await mkdir(libraries, { recursive: true })
  const headers = [`-I${server}`, `-I${client}`]
  const tests = join(source, 'src', 'test')
  const shared = ['-O2', '-fPIC', '-shared', '-fwrapv']
  await must(
    'gcc',
    [...shared, ...headers, join(tests, 'regress', 'regress.c'), '-o', join(libraries, 'regress.so')],
    source,
  )
  for (const name of ['autoinc.so', 'refint.so']) await must('cp', [join(modules ?? '', name), libraries], source)
  const program = join(tests, 'modules', 'libpq_pipeline', 'libpq_pipeline.c')
  const link = [`-L${modules}`, '-lpq', '-lpgcommon', '-lpgport', '-lm']
  await must('gcc', ['-O2', ...headers, `-I${client}/internal`, program, '-o', pipeline, ...link], source)
}

async function must(command: string, args: readonly string[], cwd: string): Promise<string> {
  const ran = await run(command, args, { cwd, timeoutMs: 600_000 })
  if (ran.code !== 0) throw new Error(`${command} ${args.at(-1)}: ${ran.stderr.trim().split('\n').at(-1)}`)
  return ran.stdout
}
