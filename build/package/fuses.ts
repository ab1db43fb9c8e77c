import { join } from 'node:path'
import { FuseState, FuseV1Options, FuseVersion, flipFuses, getCurrentFuseWire } from '@electron/fuses'

/** What the packaged runtime can do is burnt into it: no Node by environment or flag, and no code but its own archive's. */
export const fuses = {
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  // WebAssembly reads out of bounds are caught by the processor; without it every access would be checked by code.
  [FuseV1Options.WasmTrapHandlers]: true,
} as const satisfies Record<FuseV1Options, boolean>

/** The part of electron-builder's context that is used. */
export interface PackedApp {
  readonly appOutDir: string
  readonly electronPlatformName: string
  readonly packager: {
    readonly appInfo: { readonly productFilename: string }
    /** Linux only. */
    readonly executableName?: string
  }
}

/** The program file of a packed app. Throws for a system that is not built for. */
export function programOf({ appOutDir, electronPlatformName, packager }: PackedApp): string {
  const name = packager.appInfo.productFilename
  switch (electronPlatformName) {
    case 'darwin':
      return join(appOutDir, `${name}.app`)
    case 'win32':
      return join(appOutDir, `${name}.exe`)
    case 'linux':
      return join(appOutDir, packager.executableName ?? name.toLowerCase())
    default:
      throw new Error(`No package is built for ${electronPlatformName}.`)
  }
}

/** electron-builder's afterPack hook: sets every fuse that this Electron has, and reads them back. */
export async function burnFuses(app: PackedApp): Promise<void> {
  const program = programOf(app)
  await setFuses(program, app.electronPlatformName === 'darwin')
  const wrong = await wrongFuses(program)
  if (wrong.length > 0) throw new Error(`${program}: ${wrong.join('; ')}`)
}

/** `adHoc`: the runtime comes with an ad-hoc signature that has to be made anew. Fails when Electron has a fuse that is not listed. */
export async function setFuses(program: string, adHoc: boolean): Promise<void> {
  await flipFuses(program, {
    version: FuseVersion.V1,
    strictlyRequireAllFuses: true,
    resetAdHocDarwinSignature: adHoc,
    ...fuses,
  })
}

/** The fuses of a program that are not as they should be, in words; empty when all are. */
export async function wrongFuses(program: string): Promise<string[]> {
  const wire = await getCurrentFuseWire(program)
  return Object.entries(fuses).flatMap(([key, wanted]) => {
    const fuse: FuseV1Options = Number(key)
    const state = wire[fuse]
    if (state === (wanted ? FuseState.ENABLE : FuseState.DISABLE)) return []
    const is = state === undefined ? 'missing' : (FuseState[state] ?? String(state))
    return [`fuse ${FuseV1Options[fuse]} is ${is}, not ${wanted ? 'ENABLE' : 'DISABLE'}`]
  })
}
