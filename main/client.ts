/** The parts of the client core that work without a window, for the CLI. */

export { Endpoints } from './endpoints/endpoints.ts'
export { fileSecrets, readIfPresent, writeAtomic } from './files.ts'
export { gatewayOrigin } from './gateway/address.ts'
export { cancelStatement } from './gateway/cancel.ts'
export { type ApiClient, asked } from './gateway/client.ts'
export { openSession } from './gateway/session.ts'
export { fail, messageOf, toProblem } from './problem.ts'
export { findPrograms } from './rdp/find.ts'
export { openManually } from './rdp/manual.ts'
export { choose, installHint } from './rdp/programs.ts'
export { sweepScratch } from './rdp/scratch.ts'
export { DesktopSession } from './rdp/session.ts'
export type { SecretStore } from './secrets.ts'
export { openSettings, type SettingsStore } from './settings.ts'
export { machineFrom, machineSignIn } from './sign-in/machine.ts'
export {
  endSignIn,
  resumeSignIn,
  type SignedIn,
  type StartedSignIn,
  startSignIn,
  stepUpSignIn,
} from './sign-in/person.ts'
export { confirmed, type Lack, sharedConfirm } from './sign-in/step-up.ts'
export { type ResultLimits, ResultStore, type Row } from './sql/result.ts'
export { SqlSession } from './sql/session.ts'
export { connectSsh } from './terminal/connect.ts'
export { AnnotationExtractor } from './terminal/osc.ts'
export { targetOf } from './work.ts'
