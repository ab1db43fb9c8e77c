/** Where a server needs to run and what it needs to know; both kinds of host take this. */
export interface HostSetup {
  folder: string
  home: string
  user: string
  /** The account to run as, when this process is root. */
  account: { uid: number; gid: number } | undefined
  hostKey: { private: string; public: string }
  clientKey: { private: string; public: string }
}
