import type { InstalledProgram } from './programs.ts'
import { type RdpFileOptions, rdpFile } from './rdp-file.ts'

/** What a launch starts from. */
export interface Launch extends Omit<RdpFileOptions, 'sealedPassword'> {
  program: InstalledProgram
  connection: string
  /** Good once, at this session's endpoint. */
  password: string
  /** SHA-256 of the inspector's TLS certificate, `AA:BB:…`. */
  certificate: string
}

/**
 * How one program is started. No argument, environment variable or file holds the password in the clear: it goes in by `stdin`, sealed
 * so that only this person can open it (`seal.ts`), or is pasted by the person.
 */
export interface Plan {
  command: string
  args: readonly string[]
  /** Written to the program's standard input, which is then closed. */
  stdin?: string
  /** Written with mode 0600 before the start; `{file}` among the arguments is its path. */
  file: { name: string; text: string }
  /** The person has to paste the password into the program. */
  pastes: boolean
  /** The program lives on after its desktop is closed, or hands over to another one: its end says nothing. */
  detached: boolean
}

/** Stands for the file's path among `Plan.args`. */
export const filePlace = '{file}'

/** Who seals the password for the program (`seal.ts`); undefined: nobody needs to. */
export function sealOf({ id }: InstalledProgram): 'dpapi' | 'remmina' | undefined {
  if (id === 'mstsc') return 'dpapi'
  return id === 'remmina' ? 'remmina' : undefined
}

/** `sealedPassword` is set where `sealOf` says so. */
export function planLaunch(launch: Launch, sealedPassword?: string): Plan {
  const { program, connection } = launch
  switch (program.id) {
    case 'mstsc':
      return {
        command: program.path,
        args: [filePlace],
        file: {
          name: `${connection}.rdp`,
          text: rdpFile({ ...launch, ...(sealedPassword ? { sealedPassword } : {}) }),
        },
        pastes: sealedPassword === undefined,
        detached: false,
      }
    case 'windows-app':
      return {
        command: '/usr/bin/open',
        args: ['-a', program.path, filePlace],
        file: { name: `${connection}.rdp`, text: rdpFile(launch) },
        pastes: true,
        detached: true,
      }
    case 'xfreerdp':
    case 'sdl-freerdp':
    case 'wlfreerdp':
      return {
        command: program.path,
        args: [
          filePlace,
          `/cert:fingerprint:sha256:${launch.certificate.toLowerCase()}`,
          '/from-stdin:force',
          `/t:${connection} · Sallyport`,
          ...(program.id === 'xfreerdp' ? [`/wm-class:sallyport-${connection}`] : []),
          '/log-level:ERROR',
        ],
        stdin: `${launch.password}\n`,
        file: { name: `${connection}.rdp`, text: rdpFile(launch) },
        pastes: false,
        detached: false,
      }
    case 'remmina':
      return {
        command: program.path,
        args: ['--connect', filePlace],
        file: { name: `${connection}.remmina`, text: remminaProfile(launch, sealedPassword) },
        pastes: false,
        detached: true,
      }
    case 'viewer':
      throw new Error('the viewer is no program to be started')
    default:
      return program.id satisfies never
  }
}

/** Remmina's own format. With TLS it asks for no password, so it has to be there, sealed by this person's Remmina. */
function remminaProfile(launch: Launch, sealed = ''): string {
  const { host, port, user, redirections, connection } = launch
  const lines = [
    '[remmina]',
    'protocol=RDP',
    `name=${connection} · Sallyport`,
    `server=${host}:${port}`,
    `username=${user}`,
    `password=${sealed}`,
    'domain=',
    'security=tls',
    // Remmina can be told no fingerprint; the listener is ours, and the tunnel behind it is verified.
    'cert_ignore=1',
    `disableclipboard=${redirections.clipboard ? '0' : '1'}`,
    'sharefolder=',
    'shareprinter=0',
    'sharesmartcard=0',
    `sound=${redirections.audio ? 'local' : 'off'}`,
    'microphone=',
    'disable_fastpath=0',
    'disableautoreconnect=1',
    'resolution_mode=1',
    'scale=1',
  ]
  return `${lines.join('\n')}\n`
}
