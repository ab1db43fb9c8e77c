import type { AccessRequest } from '../../shared/api/models.ts'

/** The whole statement fits a toast, with nothing of it hidden: only then can it be approved from there. */
export function fitsToast({
  kind,
  text = '',
  textHidden,
}: Pick<AccessRequest, 'kind' | 'text' | 'textHidden'>): boolean {
  return kind === 'once' && text !== '' && textHidden !== true && text.length <= 280 && text.split('\n').length <= 6
}
