/** The mark: two arches, a door within a door. */
export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg className="logo" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <rect width="24" height="24" rx="6" fill="var(--sp-accent-fill)" />
      <path
        d="M6 19.2V11a6 6 0 0 1 12 0v8.2"
        fill="none"
        stroke="var(--sp-accent-on)"
        strokeWidth="1.9"
        strokeLinecap="round"
      />
      <path d="M11 19.2v-7.4a2.3 2.3 0 0 1 4.6 0v7.4z" fill="var(--sp-accent-on)" />
    </svg>
  )
}
