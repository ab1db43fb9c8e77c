/** What was set last, by key: beyond `most` keys the one that was set longest ago is forgotten. */
export class Recent<K, V> {
  private readonly most: number
  private readonly entries = new Map<K, V>()

  constructor(most: number) {
    this.most = most
  }

  get size(): number {
    return this.entries.size
  }

  get(key: K): V | undefined {
    return this.entries.get(key)
  }

  set(key: K, value: V): void {
    this.entries.delete(key)
    this.entries.set(key, value)
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.most) return
      this.entries.delete(oldest)
    }
  }
}
