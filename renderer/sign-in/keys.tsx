import { ShortcutTable } from '../frame/shortcut-table.tsx'
import { useFocusBack } from '../frame/use-focus-back.ts'
import { Dialog } from '../theme/dialog.tsx'

/** Every key, for who is not signed in yet. */
export default function Keys({ onClose }: { onClose(): void }) {
  useFocusBack()
  return (
    <Dialog onClose={onClose} title="Keyboard shortcuts" size={760} closeLabel="Close">
      <ShortcutTable />
    </Dialog>
  )
}
