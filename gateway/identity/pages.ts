import { logo } from '../../shared/logo.ts'

/**
 * The pages that a person sees while signing in. No script, no font or picture from anywhere; colours are those of the
 * design's tokens. They are served with `pageHeaders`.
 */

/** `form-action` is left out on purpose: Chrome applies it to the redirects after a form, which lead to the sign-in provider. */
export const pageHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
} as const

const style = `
:root{color-scheme:dark;--base:#14181d;--raised:#1a1f25;--sunken:#0d1013;--input:#101318;--line:#333b45;--control:#69737f;--text:#e8ebef;--text2:#b0b8c3;--text3:#98a2b0;--fill:#2f66e4;--fill-hover:#2557c9;--focus:#86adff;--ghost:#232931;--ghost-hover:#2b323b;--bad:#ff8a80;--bad-tint:rgba(240,84,74,.12);--bad-line:rgba(240,84,74,.45);--good:#5fcf97}
@media (prefers-color-scheme:light){:root{color-scheme:light;--base:#fff;--raised:#fafbfc;--sunken:#f7f8fa;--input:#fff;--line:#cbd1d9;--control:#7f8894;--text:#14191f;--text2:#414b57;--text3:#5a6471;--fill:#2a62e3;--fill-hover:#2256cf;--focus:#2a62e3;--ghost:#fff;--ghost-hover:#f1f3f6;--bad:#b3261e;--bad-tint:rgba(207,58,49,.08);--bad-line:rgba(207,58,49,.4);--good:#14693f}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:24px;background:var(--base);color:var(--text);font:13px/20px Inter,-apple-system,BlinkMacSystemFont,"Segoe UI",system-ui,sans-serif}
main{width:100%;max-width:400px}
main>svg{display:block;margin-bottom:20px}
h1{font-size:24px;line-height:30px;font-weight:600;margin:0 0 8px;text-wrap:balance}
p{margin:0 0 16px;color:var(--text2)}
p:last-child{margin:0}
label{display:block;font-weight:500;margin-bottom:6px}
input[type=text]{width:100%;height:44px;padding:0 12px;border:1px solid var(--control);border-radius:6px;background:var(--input);color:var(--text);font:600 18px/24px "JetBrains Mono","SF Mono",ui-monospace,Menlo,Consolas,monospace;letter-spacing:.12em;text-transform:uppercase}
.code{display:block;margin:0 0 16px;padding:12px;border:1px solid var(--line);border-radius:6px;background:var(--sunken);text-align:center;font:600 24px/30px "JetBrains Mono","SF Mono",ui-monospace,Menlo,Consolas,monospace;letter-spacing:.12em}
.buttons{display:flex;gap:8px;margin-top:16px}
button{height:36px;padding:0 16px;border:1px solid transparent;border-radius:6px;font:500 13px/20px inherit;font-family:inherit;cursor:pointer}
.primary{flex:1;background:var(--fill);color:#fff}.primary:hover{background:var(--fill-hover)}
.ghost{background:var(--ghost);border-color:var(--line);color:var(--text)}.ghost:hover{background:var(--ghost-hover)}
:focus-visible{outline:2px solid var(--focus);outline-offset:1px}
.problem{padding:10px 12px;margin-bottom:16px;border:1px solid var(--bad-line);border-left-width:3px;border-radius:6px;background:var(--bad-tint);color:var(--bad)}
.detail{margin-top:16px;color:var(--text3);font:11px/16px "JetBrains Mono","SF Mono",ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.good{color:var(--good)}
`

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)} · Sallyport</title><style>${style}</style></head>
<body><main>${logo}<h1>${escapeHtml(title)}</h1>${body}</main></body></html>`
}

/** Something went wrong: what happened, what to do next, and a line to quote to the IT desk. */
export function errorPage(words: { title: string; text: string; detail?: string }): string {
  const detail =
    words.detail === undefined || words.detail === '' ? '' : `<p class="detail">${escapeHtml(words.detail)}</p>`
  return page(words.title, `<p>${escapeHtml(words.text)}</p>${detail}`)
}

/** The device flow, step 1: which code. */
export function deviceCodePage(form: {
  action: string
  xsrf: string
  userCode: string
  problem: string | undefined
}): string {
  const problem = form.problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(form.problem)}</p>`
  return page(
    'Sign in with a device code',
    `<p>Type the code that Sallyport shows on the other device.</p>${problem}
<form method="post" action="${escapeHtml(form.action)}">
<input type="hidden" name="xsrf" value="${escapeHtml(form.xsrf)}">
<label for="code">Code</label>
<input id="code" type="text" name="user_code" value="${escapeHtml(form.userCode)}" maxlength="20" autocomplete="off" autocapitalize="characters" spellcheck="false" required autofocus>
<div class="buttons"><button class="primary" type="submit">Continue</button></div>
</form>`,
  )
}

/** Step 2: is it really yours. A code that someone else sent is how this flow is abused, so the page says so. */
export function deviceConfirmPage(form: {
  action: string
  xsrf: string
  userCode: string
  client: string
  from: string
}): string {
  const hidden = `<input type="hidden" name="xsrf" value="${escapeHtml(form.xsrf)}"><input type="hidden" name="user_code" value="${escapeHtml(form.userCode)}"><input type="hidden" name="confirm" value="yes">`
  return page(
    'Is this your device?',
    `<p>${escapeHtml(form.client)} at ${escapeHtml(form.from)} asks to sign in as you. It must show this very code:</p>
<code class="code">${escapeHtml(form.userCode)}</code>
<p>If someone sent you the code, or you did not start this, stop here: they would get your access.</p>
<form method="post" action="${escapeHtml(form.action)}">${hidden}
<div class="buttons"><button class="primary" type="submit" autofocus>Yes, continue to SSO</button><button class="ghost" type="submit" name="abort" value="yes">Stop</button></div>
</form>`,
  )
}

/** Step 3. */
export function deviceDonePage(gatewayName: string): string {
  return page(
    'You are signed in',
    `<p class="good">The device is signed in to ${escapeHtml(gatewayName)}.</p><p>You can return to Sallyport and close this page.</p>`,
  )
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
