import { verifyAll } from './package/verify.ts'

process.exitCode = await verifyAll(process.argv[2] ?? 'out', (line) => {
  if (line !== '') console.log(line)
})
