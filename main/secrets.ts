/** Where the refresh token and the DPoP key live: the system's keychain in Electron, files of mode 0600 elsewhere. */
export interface SecretStore {
  get(key: string): Promise<string | undefined>
  set(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
  /**
   * Runs `work` while no other process that shares this store does: two that refreshed one rotating token would end the sign-in.
   * Not needed where one process owns the store.
   */
  exclusive?<T>(key: string, work: () => Promise<T>): Promise<T>
}
