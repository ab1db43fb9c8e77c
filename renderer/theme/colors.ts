/** Reads tokens as the theme has them now; for the libraries that draw on a canvas or want colours as text. */
export function readTokens<K extends string>(names: readonly K[]): Record<K, string> {
  const style = getComputedStyle(document.documentElement)
  const values: Partial<Record<K, string>> = {}
  for (const name of names) values[name] = style.getPropertyValue(`--sp-${name}`).trim()
  return values as Record<K, string>
}

/** A token's colour as `#rrggbb` or `#rrggbbaa`, which Monaco asks for. */
export function toHex(color: string): string {
  // A minifier may have shortened it; Monaco wants every digit.
  if (/^#[0-9a-f]{3,4}$/i.test(color)) return color.replaceAll(/[0-9a-f]/gi, '$&$&')
  if (color.startsWith('#')) return color
  const parts = color.match(/[\d.]+/g)?.map(Number) ?? []
  const [r = 0, g = 0, b = 0, a = 1] = parts
  const hex = (n: number) => Math.round(n).toString(16).padStart(2, '0')
  return `#${hex(r)}${hex(g)}${hex(b)}${a === 1 ? '' : hex(a * 255)}`
}
