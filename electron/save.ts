import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileTarget, type Saver } from '../main/save.ts'

/** The part of Electron's dialog that is used. */
export interface SaveDialog {
  showSaveDialog(options: {
    defaultPath: string
    properties: ('createDirectory' | 'showOverwriteConfirmation')[]
  }): Promise<{ canceled: boolean; filePath?: string }>
}

/** Asks where to save with the system's own dialog. The page never learns of a path it did not get from there, and never names one. */
export function dialogSaver(dialog: SaveDialog, folder = join(homedir(), 'Downloads')): Saver {
  return async ({ name }) => {
    const { canceled, filePath } = await dialog.showSaveDialog({
      defaultPath: join(folder, name),
      properties: ['createDirectory', 'showOverwriteConfirmation'],
    })
    return canceled || filePath === undefined || filePath === '' ? undefined : fileTarget(filePath)
  }
}
