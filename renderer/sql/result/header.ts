import type { IHeaderComp, IHeaderParams } from 'ag-grid-community'
import type { ResultColumn } from '../../../shared/rpc/contract.ts'
import { type IconName, iconElement } from '../../decisions/icon.tsx'
import type { Arrangement } from './arrange-bar.tsx'

export interface HeaderActions {
  /** How the result is sorted now. */
  sort(): Arrangement['sort']
  menu(column: number, at: { x: number; y: number }): void
}

export interface HeaderParams {
  of: ResultColumn
  index: number
  actions: HeaderActions
}

/** The column's name, with its menu; a lock and the policy where its values are masked. */
export class GridHeader implements IHeaderComp {
  private readonly button = document.createElement('button')

  init(params: IHeaderParams & HeaderParams): void {
    this.button.type = 'button'
    this.button.className = 'th'
    this.button.setAttribute('aria-haspopup', 'menu')
    this.draw(params)
  }

  getGui(): HTMLElement {
    return this.button
  }

  refresh(params: IHeaderParams & HeaderParams): boolean {
    this.draw(params)
    return true
  }

  private draw({ of: column, index, actions }: HeaderParams): void {
    const { masked } = column
    const sorted = actions.sort().find((s) => s.column === index)?.direction
    const words = [
      column.name,
      masked === undefined ? column.type : `masked by ${masked.policyId}`,
      ...(sorted === undefined ? [] : [sorted === 'asc' ? 'sorted ascending' : 'sorted descending']),
    ]
    const icon = (name: IconName, size: 12 | 14) => [iconElement(name, size)]
    const name = document.createElement('span')
    name.className = 'trunc'
    name.textContent = column.name
    this.button.title =
      masked === undefined ? `${column.name} ${column.type}` : `Masked by ${masked.policyId}. ${masked.reason}`
    this.button.setAttribute('aria-label', words.join(', '))
    this.button.onclick = () => {
      const box = this.button.getBoundingClientRect()
      actions.menu(index, { x: box.left, y: box.bottom + 4 })
    }
    this.button.replaceChildren(
      ...(masked === undefined ? [] : icon('lock', 14)),
      name,
      ...(sorted === undefined ? [] : icon(sorted === 'asc' ? 'arrow-up' : 'arrow-down', 12)),
    )
  }
}
