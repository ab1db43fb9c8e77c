/** Numbers for Prometheus, in its text format; as little as is needed. */
export interface Metrics {
  counter(name: string, help: string): Counter
  /** `read` is called for each scrape. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void
  render(): Promise<string>
}

export interface Counter {
  /** Labels must have few values: each combination is kept for good. */
  add(labels?: Readonly<Record<string, string>>, by?: number): void
}

export function createMetrics(): Metrics {
  const counters = new Map<string, { help: string; values: Map<string, number> }>()
  const gauges = new Map<string, { help: string; read: () => number | Promise<number> }>()

  return {
    counter(name, help) {
      const counter = counters.get(name) ?? { help, values: new Map<string, number>() }
      counters.set(name, counter)
      return {
        add(labels = {}, by = 1) {
          const key = labelText(labels)
          counter.values.set(key, (counter.values.get(key) ?? 0) + by)
        },
      }
    },
    gauge(name, help, read) {
      gauges.set(name, { help, read })
    },
    async render() {
      const lines: string[] = []
      for (const [name, { help, values }] of counters) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`)
        for (const [labels, value] of values) lines.push(`${name}${labels} ${value}`)
      }
      for (const [name, { help, read }] of gauges) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${await read()}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/g, '_')}"`)
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}
