/** The mark, two arches, for pages that stand by themselves: 44 pixels wide, in white on their `--fill`. */
export const logo =
  '<svg width="44" height="44" viewBox="0 0 24 24" aria-hidden="true"><rect width="24" height="24" rx="6" fill="var(--fill)"/><path d="M6 19.2V11a6 6 0 0 1 12 0v8.2" fill="none" stroke="#fff" stroke-width="1.9" stroke-linecap="round"/><path d="M11 19.2v-7.4a2.3 2.3 0 0 1 4.6 0v7.4z" fill="#fff"/></svg>'
