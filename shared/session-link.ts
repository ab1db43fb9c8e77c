/** A link to a recording, at a moment of it. `parseDeepLink` reads it. */
export function sessionLink(id: string, seconds: number): string {
  return `sallyport://session/${id}/at/${Math.max(0, Math.floor(seconds))}`
}
