import sprite from './icons.svg?raw'

/** The icon set: 24 grid, drawn at one optical weight whatever the size. */
export type IconName =
  | 'alert'
  | 'arrow-down'
  | 'arrow-right'
  | 'arrow-up'
  | 'ban'
  | 'bell'
  | 'bolt'
  | 'browser'
  | 'camera'
  | 'card'
  | 'check'
  | 'chev-down'
  | 'chev-left'
  | 'chev-right'
  | 'chev-up'
  | 'circle-check'
  | 'circle-dash'
  | 'circle-x'
  | 'clipboard'
  | 'clock'
  | 'cloud-off'
  | 'columns'
  | 'copy'
  | 'database'
  | 'download'
  | 'drive'
  | 'enter'
  | 'external'
  | 'eye'
  | 'eye-off'
  | 'file'
  | 'filter'
  | 'fingerprint'
  | 'flag'
  | 'folder'
  | 'format'
  | 'gauge'
  | 'globe'
  | 'hash'
  | 'hourglass'
  | 'inbox'
  | 'info'
  | 'k8s'
  | 'key'
  | 'keyboard'
  | 'laptop'
  | 'layers'
  | 'link'
  | 'list'
  | 'lock'
  | 'log-out'
  | 'map-pin'
  | 'minus'
  | 'monitor'
  | 'moon'
  | 'more'
  | 'msg'
  | 'package'
  | 'panel-bottom'
  | 'panel-left'
  | 'panel-right'
  | 'pause'
  | 'pencil'
  | 'pin'
  | 'play'
  | 'plug'
  | 'plus'
  | 'printer'
  | 'pulse'
  | 'refresh'
  | 'replay'
  | 'rows'
  | 'search'
  | 'send'
  | 'server'
  | 'shield'
  | 'shield-alert'
  | 'shield-check'
  | 'shield-x'
  | 'siren'
  | 'skip-back'
  | 'skip-fwd'
  | 'sliders'
  | 'split'
  | 'sun'
  | 'table'
  | 'terminal'
  | 'ticket'
  | 'undo'
  | 'unlock'
  | 'unplug'
  | 'user'
  | 'user-check'
  | 'users'
  | 'volume'
  | 'x'

const sizes = { 12: 'i i12', 14: 'i i14', 16: 'i', 18: 'i i18', 20: 'i i20', 24: 'i i24' } as const

/** Decoration next to words that say the same; it has no name of its own. */
export function Icon({ name, size = 16 }: { name: IconName; size?: keyof typeof sizes }) {
  return (
    <svg className={sizes[size]} aria-hidden="true" focusable="false">
      <use href={`#i-${name}`} />
    </svg>
  )
}

/** The same for what React does not draw. */
export function iconElement(name: IconName, size: keyof typeof sizes): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  svg.setAttribute('class', sizes[size])
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('focusable', 'false')
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use')
  use.setAttribute('href', `#i-${name}`)
  svg.append(use)
  return svg
}

/** Puts the symbols on the page, once, so that `Icon` can point at them and style sheets reach their strokes. */
export function mountSprite(page: Document): void {
  const svg = new DOMParser().parseFromString(sprite, 'image/svg+xml').documentElement
  svg.setAttribute('class', 'sprite')
  svg.setAttribute('aria-hidden', 'true')
  page.body.append(page.importNode(svg, true))
}
