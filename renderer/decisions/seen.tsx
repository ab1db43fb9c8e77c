import { Fragment } from 'react'
import { codeOf, splitUnseen } from '../../shared/unseen.ts'

/** Text of somebody else, exactly: each character that would not be seen, or would turn what is around it, is shown by its code. */
export function Seen({ text }: { text: string }) {
  let at = 0
  return splitUnseen(text).map((part) => {
    const key = at
    at += part.text.length
    return part.unseen ? (
      <span key={key} className="unseen" title="A character that is not seen, or that turns the text around it">
        {codeOf(part.text)}
      </span>
    ) : (
      <Fragment key={key}>{part.text}</Fragment>
    )
  })
}
