import { type CSSVariablesResolver, createTheme, MantineProvider } from '@mantine/core'
import { type ReactNode, useLayoutEffect, useSyncExternalStore } from 'react'

export type ThemeName = 'light' | 'dark'

const theme = createTheme({
  fontFamily: 'var(--sp-font-ui)',
  fontFamilyMonospace: 'var(--sp-font-mono)',
  defaultRadius: 'md',
  cursorType: 'default',
  respectReducedMotion: true,
})

/** Mantine's variables are the design's tokens under other names, so both themes come from tokens.css alone. */
const resolver: CSSVariablesResolver = () => {
  const variables = {
    '--mantine-color-body': 'var(--sp-surface-base)',
    '--mantine-color-text': 'var(--sp-text)',
    '--mantine-color-dimmed': 'var(--sp-text-3)',
    '--mantine-color-placeholder': 'var(--sp-text-3)',
    '--mantine-color-error': 'var(--sp-blocked-fg)',
    '--mantine-color-anchor': 'var(--sp-accent-fg)',
    '--mantine-color-default': 'var(--sp-surface-control)',
    '--mantine-color-default-hover': 'var(--sp-surface-control-hover)',
    '--mantine-color-default-border': 'var(--sp-line-strong)',
    '--mantine-color-default-color': 'var(--sp-text)',
    '--mantine-primary-color-filled': 'var(--sp-accent-fill)',
    '--mantine-primary-color-filled-hover': 'var(--sp-accent-fill-hover)',
    '--mantine-radius-md': 'var(--sp-radius)',
    '--mantine-radius-sm': 'var(--sp-radius-sm)',
    '--mantine-radius-lg': 'var(--sp-radius-lg)',
    '--mantine-font-size-sm': 'var(--sp-size-sm)',
    '--mantine-font-size-md': 'var(--sp-size-md)',
    '--mantine-line-height': 'var(--sp-lh-md)',
  }
  return { variables: {}, light: variables, dark: variables }
}

/** The theme to show: the one chosen, or the system's. */
export function useThemeName(choice: 'system' | ThemeName): ThemeName {
  const light = useSyncExternalStore(watchSystem, systemIsLight)
  return choice === 'system' ? (light ? 'light' : 'dark') : choice
}

export function ThemeProvider({ name, children }: { name: ThemeName; children: ReactNode }) {
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = name
  }, [name])
  return (
    <MantineProvider theme={theme} cssVariablesResolver={resolver} forceColorScheme={name}>
      {children}
    </MantineProvider>
  )
}

const query = '(prefers-color-scheme: light)'

export function systemIsLight(): boolean {
  return window.matchMedia(query).matches
}

function watchSystem(listener: () => void): () => void {
  const media = window.matchMedia(query)
  media.addEventListener('change', listener)
  return () => media.removeEventListener('change', listener)
}
