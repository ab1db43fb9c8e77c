import { accessOf, bareSpec, type ConnectionsDeps } from '../connections/router.ts'
import { api } from './context.ts'

/** What would be decided for a text, without running it. */
export function explainRouter(deps: Pick<ConnectionsDeps, 'agent' | 'connections' | 'grants' | 'log'>) {
  const { agent, connections, grants, log } = deps
  return api.explain.handler(async ({ context: { caller }, input, errors }) => {
    const connection = connections.get(input.connection)
    const access = connection === undefined ? undefined : await accessOf(deps, caller, connection)
    if (connection === undefined || access === undefined) {
      throw errors.NOT_FOUND({ message: `There is no connection ${input.connection}, or it is not open to you.` })
    }
    const { ref, target } = connection
    const spec = {
      ...bareSpec(caller),
      connection: ref,
      target,
      grants: await grants.inForce(caller.principal.id, ref.name),
    }
    try {
      const { statements } = await agent.explain(spec, input.text)
      return {
        statements: statements.map((statement) => ({
          ...statement,
          masks: [...statement.masks],
          tables: [...statement.tables],
        })),
      }
    } catch (error) {
      log.warn({ err: error, connection: ref.name }, 'a text could not be explained')
      throw errors.UNREACHABLE({
        message: `${ref.name} does not answer, and without its tables nothing can be said about this. Try again once it does.`,
      })
    }
  })
}
