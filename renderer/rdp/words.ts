import type { DesktopProgram } from '../../shared/rpc/desktop.ts'

/** `FreeRDP 3.9.0`. */
export function programWords({ name, version }: DesktopProgram): string {
  return version === undefined ? name : `${name} ${version}`
}
