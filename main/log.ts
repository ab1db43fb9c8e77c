/** Where the client core writes what happened; pino fits. Never a token, password or the text of a statement. */
export interface Log {
  info(about: object, message: string): void
  warn(about: object, message: string): void
  error(about: object, message: string): void
}
