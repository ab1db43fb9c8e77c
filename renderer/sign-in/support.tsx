import '../settings/settings.css'
import { useFocusBack } from '../frame/use-focus-back.ts'
import { Bundle } from '../settings/diagnostics.tsx'
import { Dialog } from '../theme/dialog.tsx'

/** The support bundle for who can't sign in. */
export default function Support({ onClose }: { onClose(): void }) {
  useFocusBack()
  return (
    <Dialog onClose={onClose} title="Diagnostics" size={560} closeLabel="Close">
      <Bundle />
    </Dialog>
  )
}
