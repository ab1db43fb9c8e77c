import type { MenuItemConstructorOptions } from 'electron'

export interface MenuOptions {
  mac: boolean
  /** Reload and developer tools: never in a packaged app, where they would drop or show what a tab holds. */
  developer: boolean
  /** 0: the size it has by itself. The settings keep it. */
  zoom(step: -1 | 0 | 1): void
}

/**
 * The menu: what the system does by itself. Keys that the page uses (close tab, find, run, search) are left to it, which is why
 * closing the window takes Shift.
 */
export function menuTemplate({ mac, developer, zoom }: MenuOptions): MenuItemConstructorOptions[] {
  const separator: MenuItemConstructorOptions = { type: 'separator' }
  const edit: MenuItemConstructorOptions[] = [
    { role: 'undo' },
    { role: 'redo' },
    separator,
    { role: 'cut' },
    { role: 'copy' },
    { role: 'paste' },
    { role: 'selectAll' },
  ]
  const view: MenuItemConstructorOptions[] = [
    { label: 'Actual Size', accelerator: 'CmdOrCtrl+0', click: () => zoom(0) },
    { label: 'Zoom In', accelerator: 'CmdOrCtrl+Plus', click: () => zoom(1) },
    {
      label: 'Zoom In',
      accelerator: 'CmdOrCtrl+=',
      visible: false,
      acceleratorWorksWhenHidden: true,
      click: () => zoom(1),
    },
    { label: 'Zoom Out', accelerator: 'CmdOrCtrl+-', click: () => zoom(-1) },
    separator,
    { role: 'togglefullscreen' },
  ]
  if (developer) view.push(separator, { role: 'forceReload' }, { role: 'toggleDevTools' })
  const close: MenuItemConstructorOptions = { role: 'close', accelerator: 'Shift+CmdOrCtrl+W' }
  const window: MenuItemConstructorOptions[] = [
    { role: 'minimize' },
    ...(mac ? [{ role: 'zoom' } as const] : []),
    close,
  ]
  return [
    ...(mac ? [{ role: 'appMenu' } as const] : [{ label: '&File', submenu: [{ role: 'quit' } as const] }]),
    { label: '&Edit', submenu: edit },
    { label: '&View', submenu: view },
    { label: '&Window', submenu: window },
  ]
}
