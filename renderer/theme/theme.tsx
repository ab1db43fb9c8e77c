import { type CSSVariablesResolver, createTheme, MantineProvider } from '@mantine/core'
import { createContext, type ReactNode, useContext, useLayoutEffect, useSyncExternalStore } from 'react'
import { useSettings } from '../rpc/context.tsx'

/** The theme as it is drawn: light or dark, and each in high contrast. */
export type ThemeName = Scheme | `${Scheme}-high`
type Scheme = 'light' | 'dark'

const theme = createTheme({
  fontFamily: 'var(--sp-font-ui)',
  fontFamilyMonospace: 'var(--sp-font-mono)',
  defaultRadius: 'md',
  cursorType: 'default',
  respectReducedMotion: true,
  // The placeholder is a child that a menu may not have; the first item takes the focus.
  components: { Menu: { defaultProps: { withInitialFocusPlaceholder: false } } },
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

const Context = createContext<ThemeName>('dark')

/** The theme that is shown. From one place, so that who reads tokens does so when they are those of the theme. */
export function useThemeName(): ThemeName {
  return useContext(Context)
}

/** The theme to show: what the person chose, or what the system asks for. */
function useChosenTheme(): ThemeName {
  const settings = useSettings()
  const light = useMedia(lightQuery)
  const more = useMedia(contrastQuery)
  const choice = settings?.theme ?? 'system'
  const scheme = choice === 'system' ? (light ? 'light' : 'dark') : choice
  return settings?.contrast === 'high' || more ? `${scheme}-high` : scheme
}

export function schemeOf(name: ThemeName): Scheme {
  return name.startsWith('light') ? 'light' : 'dark'
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  const name = useChosenTheme()
  const settings = useSettings()
  const motion = settings?.motion ?? 'system'
  const codeSize = settings?.codeSize
  useLayoutEffect(() => {
    const { dataset } = document.documentElement
    dataset.theme = schemeOf(name)
    dataset.contrast = name.endsWith('-high') ? 'high' : 'normal'
  }, [name])
  useLayoutEffect(() => {
    // Only where it says something: to ask each new element for the root's attribute is what costs.
    if (motion === 'system') delete document.documentElement.dataset.motion
    else document.documentElement.dataset.motion = motion
    if (codeSize !== undefined) document.documentElement.style.setProperty('--sp-size-code', `${codeSize}px`)
  }, [motion, codeSize])
  return (
    <MantineProvider theme={theme} cssVariablesResolver={resolver} forceColorScheme={schemeOf(name)}>
      <Context value={name}>{children}</Context>
    </MantineProvider>
  )
}

const lightQuery = '(prefers-color-scheme: light)'
const contrastQuery = '(prefers-contrast: more)'

export function systemIsLight(): boolean {
  return window.matchMedia(lightQuery).matches
}

function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const media = window.matchMedia(query)
      media.addEventListener('change', listener)
      return () => media.removeEventListener('change', listener)
    },
    () => window.matchMedia(query).matches,
  )
}
