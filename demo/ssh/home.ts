import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { customer, time } from '../postgres/values.ts'
import { type Random, seeded } from '../random.ts'

/** The files that `web-1` holds: logs with e-mails, cards and tokens in them, as real ones have. */
export async function makeHome(home: string): Promise<void> {
  const logs = join(home, 'logs')
  await mkdir(logs, { recursive: true, mode: 0o755 })
  const random = seeded(7717)
  await writeFile(
    join(logs, 'checkout.log'),
    lines(400, () => checkoutLine(random)),
  )
  await writeFile(
    join(logs, 'access.log'),
    lines(2_000, () => accessLine(random)),
  )
  await writeFile(join(home, '.env'), environment(random))
  await writeFile(join(home, 'README'), 'web-1: checkout front end. Logs are in logs/, settings in .env.\n')
  await writeFile(join(home, '.bashrc'), "PS1='deploy@web-1:\\w\\$ '\nalias ll='ls -l'\nunset HISTFILE\n")
  await writeFile(join(home, 'enter'), enter, { mode: 0o755 })
  await chmod(join(home, 'enter'), 0o755)
}

/**
 * Every session on the host starts here, so that it lands in the demo's folder whatever the account it runs as.
 * sshd hands over what was asked for in SSH_ORIGINAL_COMMAND.
 */
const enter = `#!/bin/bash
HOME="$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd)"
export HOME SHELL=/bin/bash PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
cd "$HOME" || exit 1
if [ -n "$SSH_ORIGINAL_COMMAND" ]; then exec /bin/bash --noprofile --norc -c "$SSH_ORIGINAL_COMMAND"; fi
exec /bin/bash --noprofile --rcfile "$HOME/.bashrc" -i
`

function lines(count: number, make: () => string): string {
  return `${Array.from({ length: count }, make).join('\n')}\n`
}

function checkoutLine(random: Random): string {
  const who = customer(1 + random.below(50_000), random)
  const at = time(random, 2)
  const card = who.cardNumber.replace(/(\d{4})(?=\d)/g, '$1 ')
  switch (random.below(6)) {
    case 0:
      return `${at} ERROR retry budget exhausted order=${random.digits(6)} user=${who.email}`
    case 1:
      return `${at} WARN  card ${card} charged twice batch=rt-${random.digits(5)}`
    case 2:
      return `${at} INFO  session opened token=sk_live_${token(random, 32)}`
    case 3:
      return `${at} INFO  sms sent to ${who.phone}`
    case 4:
      return `${at} INFO  captured order=${random.digits(6)} total=${random.below(500)}.00 EUR`
    default:
      return `${at} INFO  worker heartbeat queue=${random.below(40)}`
  }
}

function accessLine(random: Random): string {
  const who = customer(1 + random.below(50_000), random)
  const path = random.pick(['/checkout', '/cart', `/account?email=${who.email}`, '/orders', '/healthz'])
  return `${time(random, 2)} ${random.pick(['200', '200', '200', '302', '404', '502'])} GET ${path} ${random.below(900)} ms`
}

function environment(random: Random): string {
  return [
    'APP_ENV=production',
    `DB_URL=postgres://checkout:${token(random, 18)}@orders-db:5432/orders`,
    `API_TOKEN=${token(random, 40)}`,
    `AWS_ACCESS_KEY_ID=AKIA${token(random, 16).toUpperCase()}`,
    '',
  ].join('\n')
}

function token(random: Random, length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from({ length }, () => letters.charAt(random.below(letters.length))).join('')
}
