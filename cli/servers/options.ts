/** `sallyport demo`, as given on the command line. */
export interface DemoOptions {
  headless?: true
  data?: string
  port: number
  store?: string
  policy?: string
  /** As the configuration's `native.workers`. */
  workers?: number
  exposeTargets?: true
  json?: true
  shell: 'electron' | 'browser'
}
