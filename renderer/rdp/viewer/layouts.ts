/** Keyboard layouts that are told from what their keys produce: Windows' number, and keys that no earlier one of the list has so. */
const layouts: readonly { id: number; language: string; keys: Readonly<Record<string, string>> }[] = [
  { id: 0x80c, language: 'fr-BE', keys: { KeyQ: 'a', Minus: ')', Equal: '-' } },
  { id: 0x40c, language: 'fr', keys: { KeyQ: 'a' } },
  { id: 0x100c, language: 'fr-CH', keys: { KeyY: 'z', Semicolon: 'é' } },
  { id: 0x807, language: 'de-CH', keys: { KeyY: 'z', Minus: "'" } },
  { id: 0x407, language: 'de', keys: { KeyY: 'z', Semicolon: 'ö' } },
  { id: 0x40e, language: 'hu', keys: { KeyY: 'z', Semicolon: 'é', Digit0: 'ö' } },
  { id: 0x405, language: 'cs', keys: { KeyY: 'z', Semicolon: 'ů' } },
  { id: 0x415, language: 'pl', keys: { Semicolon: 'ł' } },
  { id: 0x40a, language: 'es', keys: { Semicolon: 'ñ', BracketLeft: '`' } },
  { id: 0x80a, language: 'es-419', keys: { Semicolon: 'ñ' } },
  { id: 0x410, language: 'it', keys: { Semicolon: 'ò' } },
  { id: 0x416, language: 'pt-BR', keys: { Semicolon: 'ç', BracketLeft: '´' } },
  { id: 0x816, language: 'pt', keys: { Semicolon: 'ç' } },
  { id: 0x414, language: 'nb', keys: { Semicolon: 'ø' } },
  { id: 0x406, language: 'da', keys: { Semicolon: 'æ' } },
  { id: 0x41d, language: 'sv', keys: { Semicolon: 'ö', BracketLeft: 'å' } },
  { id: 0x419, language: 'ru', keys: { KeyQ: 'й', KeyS: 'ы' } },
  { id: 0x422, language: 'uk', keys: { KeyQ: 'й' } },
  { id: 0x41f, language: 'tr', keys: { Semicolon: 'ş' } },
  { id: 0x809, language: 'en-GB', keys: { Backslash: '#', KeyQ: 'q', Semicolon: ';' } },
  { id: 0x409, language: 'en', keys: { KeyQ: 'q', KeyY: 'y', Semicolon: ';' } },
]
const unitedStates = 0x409

/** The layout that keys with these characters have; told by the person's language where the keys are not known. */
export function layoutOf(keys: ReadonlyMap<string, string> | undefined, language: string): number {
  const byKeys =
    keys === undefined || keys.size === 0
      ? undefined
      : layouts.find((layout) => Object.entries(layout.keys).every(([code, char]) => keys.get(code) === char))
  return (byKeys ?? ofLanguage(language))?.id ?? unitedStates
}

function ofLanguage(language: string) {
  const exact = layouts.find((layout) => layout.language.toLowerCase() === language.toLowerCase())
  return exact ?? layouts.find((layout) => layout.language === language.split('-', 1)[0])
}

/** Of this machine. Only Chromium tells what its keys produce. */
export async function ownLayout(): Promise<number> {
  const { keyboard, language } = navigator as Navigator & {
    keyboard?: { getLayoutMap(): Promise<Map<string, string>> }
  }
  const keys = await keyboard?.getLayoutMap().catch(() => undefined)
  return layoutOf(keys, language)
}
