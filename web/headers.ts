/** Headers of every answer: not framed, not guessed at, leaves no trace. */
export const plainHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const

/**
 * Headers of the client's pages. Scripts come from here alone, and so does WASM (the viewer of desktops); nothing is asked of any
 * other server. Styles may be inline: the editor, the grid and the component library make them as they go.
 */
export function pageHeaders(authority: string): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    `connect-src 'self' ws://${authority}`,
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    ...plainHeaders,
    'content-security-policy': policy.join('; '),
    'permissions-policy': 'clipboard-read=(self), clipboard-write=(self), camera=(), microphone=(), geolocation=()',
  }
}
