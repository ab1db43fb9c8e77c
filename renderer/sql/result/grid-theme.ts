import { themeQuartz } from 'ag-grid-community'

/** The grid's look, from the design's tokens. */
export const theme = themeQuartz.withParams({
  backgroundColor: 'var(--sp-surface-base)',
  foregroundColor: 'var(--sp-text)',
  borderColor: 'var(--sp-line)',
  browserColorScheme: 'inherit',
  accentColor: 'var(--sp-accent)',
  headerBackgroundColor: 'var(--sp-surface-raised)',
  headerTextColor: 'var(--sp-text-2)',
  headerFontWeight: 500,
  headerFontFamily: 'var(--sp-font-ui)',
  headerFontSize: 12,
  headerColumnBorder: { color: 'var(--sp-line)' },
  columnBorder: { color: 'var(--sp-line)' },
  rowBorder: { color: 'var(--sp-line)' },
  fontFamily: 'var(--sp-font-mono)',
  fontSize: 12,
  cellHorizontalPadding: 10,
  oddRowBackgroundColor: 'transparent',
  rowHoverColor: 'var(--sp-hover)',
  selectedRowBackgroundColor: 'var(--sp-accent-tint)',
  wrapperBorder: false,
  wrapperBorderRadius: 0,
  borderRadius: 0,
})
