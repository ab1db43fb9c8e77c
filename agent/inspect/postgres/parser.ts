import { loadModule } from 'libpg-query'

/** Loads PostgreSQL's parser (WASM). Resolves once `parse` may be called. */
export async function loadParser(): Promise<void> {
  await loadModule()
}
