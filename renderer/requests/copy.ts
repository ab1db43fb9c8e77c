export function copyText(text: string): void {
  navigator.clipboard.writeText(text).catch((error: unknown) => console.warn('Nothing was copied.', error))
}
