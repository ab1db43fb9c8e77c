/** The arrows of the architecture (docs/architecture.md). A folder may import itself, npm packages, and what is listed here. */
const arrows = {
  shared: [],
  policy: ['shared'],
  renderer: ['shared'],
  main: ['shared'],
  electron: ['main', 'shared'],
  web: ['main', 'shared'],
  gateway: ['policy', 'shared'],
  agent: ['policy', 'shared'],
  demo: ['shared'],
  cli: ['shared', 'policy', 'main', 'web', 'gateway', 'agent', 'demo'],
}
const folders = Object.keys(arrows)

// The cruiser never tells its parser that a .tsx file holds JSX, so the parser is told here.
const swc = require('@swc/core')
const { parseFileSync } = swc
swc.parseFileSync = (file, options) => parseFileSync(file, { ...options, tsx: file.endsWith('.tsx') })

const layers = folders.map((folder) => ({
  name: `${folder}-imports`,
  comment: `${folder}/ may import only: ${arrows[folder].join(', ') || 'nothing of ours'}`,
  severity: 'error',
  from: { path: `^${folder}/`, pathNot: '\\.test\\.tsx?$' },
  to: { path: `^(${folders.filter((f) => f !== folder && !arrows[folder].includes(f)).join('|')})/` },
}))

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'no-cycles',
      severity: 'error',
      from: { path: `^(${folders.join('|')})/` },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'electron-only-in-electron',
      severity: 'error',
      from: { pathNot: '^(electron|test)/' },
      to: { path: 'node_modules/electron/' },
    },
    {
      name: 'pure-folders-know-no-node',
      comment: 'shared, policy and the page run anywhere',
      severity: 'error',
      from: { path: '^(shared|policy|renderer)/', pathNot: '(\\.test\\.tsx?|vite\\.config\\.ts)$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'inspectors-know-no-network',
      comment: 'an inspector gets streams and a port',
      severity: 'error',
      from: { path: '^agent/inspect/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(policy/|agent/[^/]+\\.ts$)' },
    },
    { name: 'nothing-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '\\?worker$' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json', '.css'],
    },
  },
}
