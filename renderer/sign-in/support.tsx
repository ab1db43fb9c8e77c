import '@mantine/core/styles/Modal.css'
import '../settings/settings.css'
import { Modal } from '@mantine/core'
import { useFocusBack } from '../frame/use-focus-back.ts'
import { Bundle } from '../settings/diagnostics.tsx'

/** The support bundle for who can't sign in. */
export default function Support({ onClose }: { onClose(): void }) {
  useFocusBack()
  return (
    <Modal
      opened
      onClose={onClose}
      title="Diagnostics"
      size={560}
      transitionProps={{ duration: 0 }}
      closeButtonProps={{ 'aria-label': 'Close' }}
      classNames={{
        content: 'modal',
        header: 'modal__hd',
        title: 'modal__t',
        body: 'modal__bd',
        overlay: 'scrim',
        close: 'modal__x',
      }}
    >
      <Bundle />
    </Modal>
  )
}
