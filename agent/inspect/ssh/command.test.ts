import { expect, test } from 'vitest'
import { actionOf, decisionRequest, programOf } from './command.ts'

test.each(['scp -t /tmp', 'scp -r -p -t /tmp/dir', 'scp -f file.txt', 'scp -v -d -t -- /srv/data', 'scp -rpt .'])(
  '%j is file transfer',
  (command) => {
    const program = programOf(command)
    expect(program).toEqual({ kind: 'sftp', command })
    expect(decisionRequest(program)).toEqual({ action: 'ssh:sftp', command, complete: true })
  },
)

test.each([
  'scp -t x; rm y',
  'scp -t x && rm y',
  'scp -t $(rm y)',
  'scp -t `rm y`',
  'scp -t x > /etc/passwd',
  'scp -t x\nrm y',
  'scp -t x | sh',
  'scp -S ./evil -t x',
  'scp -o ProxyCommand=x -t y',
  'scp a b',
  'scp -t x y',
  '/tmp/scp -t x',
  'FOO=1 scp -t x',
  'ls',
  '',
])('%j is a command', (command) => {
  expect(actionOf(programOf(command))).toBe('ssh:exec')
})
