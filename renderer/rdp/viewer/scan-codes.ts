/** Keys one after the other, from a scan code of set 1 on; `extended` ones have E0 before it. */
const rows: readonly { from: number; codes: string; extended?: true }[] = [
  {
    from: 0x01,
    codes: 'Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal Backspace',
  },
  { from: 0x0f, codes: 'Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP BracketLeft BracketRight Enter' },
  { from: 0x1d, codes: 'ControlLeft KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK KeyL Semicolon Quote Backquote' },
  { from: 0x2a, codes: 'ShiftLeft Backslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM Comma Period Slash ShiftRight' },
  { from: 0x37, codes: 'NumpadMultiply AltLeft Space CapsLock F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NumLock ScrollLock' },
  { from: 0x47, codes: 'Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5 Numpad6 NumpadAdd' },
  { from: 0x4f, codes: 'Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal' },
  { from: 0x56, codes: 'IntlBackslash F11 F12 NumpadEqual' },
  { from: 0x64, codes: 'F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23' },
  { from: 0x70, codes: 'KanaMode' },
  { from: 0x73, codes: 'IntlRo' },
  { from: 0x76, codes: 'F24' },
  { from: 0x79, codes: 'Convert' },
  { from: 0x7b, codes: 'NonConvert' },
  { from: 0x7d, codes: 'IntlYen NumpadComma' },
  { from: 0x1c, codes: 'NumpadEnter ControlRight', extended: true },
  { from: 0x35, codes: 'NumpadDivide', extended: true },
  { from: 0x37, codes: 'PrintScreen AltRight', extended: true },
  { from: 0x47, codes: 'Home ArrowUp PageUp', extended: true },
  { from: 0x4b, codes: 'ArrowLeft', extended: true },
  { from: 0x4d, codes: 'ArrowRight', extended: true },
  { from: 0x4f, codes: 'End ArrowDown PageDown Insert Delete', extended: true },
  { from: 0x5b, codes: 'MetaLeft MetaRight ContextMenu', extended: true },
]

/** By `KeyboardEvent.code`; the names of keys without a character are the same in `key`. */
export const scanCodes: Readonly<Record<string, number | undefined>> = Object.fromEntries(
  rows.flatMap(({ from, codes, extended }) =>
    codes.split(' ').map((code, i) => [code, from + i + (extended ? 0xe000 : 0)] as const),
  ),
)
