import type { Connection } from '../../shared/api/models.ts'
import type { ConnectionKind, ConnectionRef, Environment } from '../../shared/connection.ts'
import { Drawn } from './drawn.tsx'
import type { IconName } from './icon.tsx'

/** Environments: production filled, staging outlined, development dashed. `data` is the value of `data-env` for style sheets. */
export const environments = {
  production: { tag: 'PROD', data: 'prod', name: 'Production' },
  staging: { tag: 'STG', data: 'staging', name: 'Staging' },
  development: { tag: 'DEV', data: 'dev', name: 'Development' },
} as const satisfies Record<Environment, { tag: string; data: string; name: string }>

/** `drawn`: inside a control whose name says the environment already, or need not. */
export function EnvTag({ environment, drawn = false }: { environment: Environment; drawn?: boolean }) {
  const { tag, data, name } = environments[environment]
  if (drawn) return <Drawn text={tag} className={`env env--${data}`} />
  return (
    <span className={`env env--${data}`} title={name}>
      {tag}
    </span>
  )
}

export const kinds = {
  postgres: { icon: 'database', one: 'Database', many: 'Databases', product: 'PostgreSQL' },
  ssh: { icon: 'terminal', one: 'SSH host', many: 'SSH hosts', product: 'SSH' },
  rdp: { icon: 'monitor', one: 'Desktop', many: 'Desktops', product: 'RDP' },
  kubernetes: { icon: 'k8s', one: 'Cluster', many: 'Clusters', product: 'Kubernetes' },
  http: { icon: 'globe', one: 'HTTP service', many: 'HTTP services', product: 'HTTP' },
} as const satisfies Record<ConnectionKind, { icon: IconName; one: string; many: string; product: string }>

/** What a connection is looked for by, beside its name. */
export function aboutConnection({
  description,
  environment,
  kind,
  tags,
}: Pick<Connection, 'description' | 'environment' | 'kind' | 'tags'>): string {
  const { name, tag } = environments[environment]
  const { product, one } = kinds[kind]
  return [name, tag, product, one, description, ...tags].join(' ')
}

export function kindIcon(connection: Pick<ConnectionRef, 'kind'>): IconName {
  return kinds[connection.kind].icon
}
