import type { DemoPerson } from '../people.ts'

/** The demo provider's one page. It posts a name and a password; it has no script. */
export function signInPage(
  action: string,
  people: readonly DemoPerson[],
  problem: string | undefined,
  /** Who is expected. */
  hint: string | undefined,
): string {
  const chosen = people.some((person) => person.username === hint) ? hint : people[0]?.username
  const choices = people
    .map(
      (person) => `<label class="person">
        <input type="radio" name="username" value="${escapeHtml(person.username)}" ${person.username === chosen ? 'checked' : ''} required>
        <span class="avatar" aria-hidden="true">${escapeHtml(initials(person.name))}</span>
        <span><strong>${escapeHtml(person.name)}</strong> <code>${escapeHtml(person.username)}</code><br><small>${escapeHtml(person.about)}</small></span>
      </label>`,
    )
    .join('\n')
  return page(
    'Sign in to Harborline',
    `<form method="post" action="${escapeHtml(action)}">
      <h1>Harborline</h1>
      <p>The demo’s identity provider. Choose who you are; the password is printed in the terminal where the demo runs.</p>
      <fieldset><legend>Person</legend>${choices}</fieldset>
      <label class="field" for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="off" autofocus required>
      ${problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`}
      <button type="submit">Sign in</button>
    </form>`,
  )
}

/** The second factor. Nobody in the demo has a phone, so theirs is on the page. */
export function codePage(action: string, code: string, problem: string | undefined): string {
  return page(
    'Second factor',
    `<form method="post" action="${escapeHtml(action)}">
      <h1>Harborline</h1>
      <p>A code was sent to your phone. In the demo the phone is here: <strong class="phone">${escapeHtml(code)}</strong></p>
      <label class="field" for="code">Code</label>
      <input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" autofocus required>
      ${problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>`}
      <button type="submit">Confirm</button>
    </form>`,
  )
}

export function messagePage(title: string, text: string): string {
  return page(title, `<div class="card"><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p></div>`)
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${style}</style></head><body><main>${body}</main></body></html>`
}

/** The content security policy that fits the page: its own inline style and nothing else. */
export const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"

const style = `
:root { color-scheme: light dark; --fg: #1a1d21; --dim: #5c636e; --bg: #eef0f3; --card: #fff; --line: #d5d9df; --accent: #0f766e; --bad: #b42318 }
@media (prefers-color-scheme: dark) { :root { --fg: #e8eaed; --dim: #9aa2ad; --bg: #101214; --card: #191c20; --line: #30353c; --accent: #2dd4bf; --bad: #ff8a7d } }
body { margin: 0; background: var(--bg); color: var(--fg); font: 14px/20px Inter, system-ui, sans-serif }
main { min-height: 100vh; display: grid; place-items: center; padding: 24px; box-sizing: border-box }
form, .card { width: 400px; max-width: 100%; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 28px; box-sizing: border-box }
h1 { font-size: 20px; line-height: 28px; margin: 0 0 4px } p { color: var(--dim); margin: 0 0 16px }
fieldset { border: 0; padding: 0; margin: 0 0 16px } legend, .field { font-weight: 600; padding: 0; margin-bottom: 6px; display: block }
.person { display: grid; grid-template-columns: 16px 28px 1fr; gap: 10px; align-items: center; padding: 7px 10px; border: 1px solid transparent; border-radius: 6px; cursor: pointer }
.person:has(input:checked) { border-color: var(--accent) } small { color: var(--dim) } code { color: var(--dim) }
.avatar { width: 28px; height: 28px; border-radius: 50%; background: var(--line); display: grid; place-items: center; font-size: 11px; font-weight: 600 }
input:not([type=radio]) { width: 100%; box-sizing: border-box; height: 36px; padding: 0 10px; border: 1px solid var(--line); border-radius: 6px; background: transparent; color: inherit; font: inherit }
button { margin-top: 16px; width: 100%; height: 36px; border: 0; border-radius: 6px; background: var(--accent); color: var(--card); font: inherit; font-weight: 600; cursor: pointer }
.phone { color: var(--fg); font: 600 15px/20px 'JetBrains Mono', monospace; letter-spacing: 2px }
.problem { color: var(--bad); margin: 10px 0 0 }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px }`

function initials(name: string): string {
  return name
    .split(' ')
    .map((part) => part.charAt(0))
    .join('')
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
}
