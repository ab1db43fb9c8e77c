import '@mantine/core/styles/Modal.css'
import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'

/** What lies over the whole page, in the page's own look. `closeLabel`: what its cross does; without it there is none. */
export function Dialog({
  title,
  size,
  opened = true,
  centered = false,
  closeLabel,
  onClose,
  children,
}: {
  title: string
  /** Its width in pixels, at most. */
  size: number
  opened?: boolean
  centered?: boolean
  closeLabel?: string
  onClose(): void
  children: ReactNode
}) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={size}
      centered={centered}
      transitionProps={{ duration: 0 }}
      withCloseButton={closeLabel !== undefined}
      closeButtonProps={{ 'aria-label': closeLabel }}
      classNames={{
        content: 'modal',
        header: 'modal__hd',
        title: 'modal__t',
        body: 'modal__bd',
        overlay: 'scrim',
        close: 'modal__x',
      }}
    >
      {children}
    </Modal>
  )
}
