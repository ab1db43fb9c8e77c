import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

test('the packaged runtime is fused: no Node by environment or flag, no code but its own archive', async () => {
  const config: unknown = parse(await readFile(new URL('../build/electron-builder.yml', import.meta.url), 'utf8'))
  expect(config).toMatchObject({
    asar: true,
    electronFuses: {
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      grantFileProtocolExtraPrivileges: false,
    },
    protocols: [{ schemes: ['sallyport'] }],
    mac: { hardenedRuntime: true },
  })
})
