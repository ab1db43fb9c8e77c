import { Dialog } from '../theme/dialog.tsx'
import { useDesk, useNavigation, usePlace } from './desk.tsx'
import { ShortcutTable } from './shortcut-table.tsx'
import { useFocusBack } from './use-focus-back.ts'

/** Every key, on `?`, and a way to change each. */
export default function Shortcuts() {
  const { shortcuts } = usePlace()
  const go = useNavigation()
  const { actions } = useDesk()
  useFocusBack()
  return (
    <Dialog
      opened={shortcuts}
      onClose={() => go.shortcuts(false)}
      title="Keyboard shortcuts"
      size={760}
      closeLabel="Close"
    >
      <ShortcutTable />
      <p className="sm t2 modal__p">
        Press keys beside a name to change them.{' '}
        <button
          type="button"
          className="linkish"
          onClick={() => {
            go.shortcuts(false)
            actions.run('app.palette')
          }}
        >
          Everything by name
        </button>
      </p>
    </Dialog>
  )
}
