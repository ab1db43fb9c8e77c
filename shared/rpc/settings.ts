import { z } from 'zod'
import { ConnectionName } from '../connection.ts'
import { DesktopProgramId } from './desktop.ts'

export const Settings = z.object({
  theme: z.enum(['system', 'light', 'dark']).default('system'),
  /** High contrast: as the system asks for, or always. */
  contrast: z.enum(['system', 'high']).default('system'),
  /** Reduced motion: as the system asks for, or always. */
  motion: z.enum(['system', 'reduced']).default('system'),
  /** Of the desktop app's window; a browser has its own. */
  zoom: z.number().min(0.5).max(2).default(1),
  /** Of editor, terminal and grid, in CSS pixels. */
  codeSize: z.number().min(10).max(20).default(12.5),
  gateway: z.string().default(''),
  pinned: z.array(ConnectionName).default([]),
  /** Connections opened last, newest first. */
  recent: z.array(ConnectionName).max(20).default([]),
  /** How the tree of connections is grouped. */
  grouping: z.enum(['environment', 'tag']).default('environment'),
  /** Keys that differ from the default: action → combination; empty for none. */
  keys: z.record(z.string().max(60), z.string().max(40)).default({}),
  /** New versions: fetched by themselves, or when asked. They are installed when the app is closed. */
  updates: z.enum(['automatic', 'manual']).default('automatic'),
  /** What shows desktops on this machine; absent: the first that is installed. */
  desktopProgram: DesktopProgramId.optional(),
  /** Hints of the first run that were put away. */
  hints: z.array(z.string().max(40)).max(40).default([]),
  /** Drafts of SQL tabs, so that nothing typed is lost; the renderer's own shape, opaque to main. */
  workspace: z.unknown().optional(),
})
export type Settings = z.infer<typeof Settings>

/** What to change of the settings. No defaults here: what is not named stays as it is. */
export const SettingsChange = z
  .object({
    theme: Settings.shape.theme.unwrap(),
    contrast: Settings.shape.contrast.unwrap(),
    motion: Settings.shape.motion.unwrap(),
    zoom: Settings.shape.zoom.unwrap(),
    codeSize: Settings.shape.codeSize.unwrap(),
    gateway: Settings.shape.gateway.unwrap(),
    pinned: Settings.shape.pinned.unwrap(),
    recent: Settings.shape.recent.unwrap(),
    grouping: Settings.shape.grouping.unwrap(),
    keys: Settings.shape.keys.unwrap(),
    updates: Settings.shape.updates.unwrap(),
    desktopProgram: DesktopProgramId,
    hints: Settings.shape.hints.unwrap(),
  })
  .partial()
