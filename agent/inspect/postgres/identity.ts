/** As whom the target looks names up: what "$user" in a search_path stands for. */
export class Identity {
  readonly account: string
  #authorized: string
  #role = 'none'

  constructor(account: string) {
    this.account = account
    this.#authorized = account
  }

  get user(): string {
    return this.#role === 'none' ? this.#authorized : this.#role
  }

  /** Takes `session_authorization`, as the target reports it. True: it may be another than the account, or was. */
  report(authorized: string): boolean {
    const before = this.#authorized
    this.#authorized = authorized
    return before !== this.account || authorized !== this.account
  }

  /** Takes `role`, and where it was asked for `session_authorization`, as SHOW gives them. Returns `user`. */
  set(role: string, authorized: string | undefined): string {
    this.#role = role
    if (authorized !== undefined) this.#authorized = authorized
    return this.user
  }
}
