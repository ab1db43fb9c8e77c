import { Component, type ErrorInfo, type ReactNode } from 'react'
import { Button, Empty } from './controls.tsx'

/** In the place of a part of the window that is not there. */
export function NotHere({
  title,
  text,
  label,
  onAgain,
}: {
  title: string
  text: string
  label: string
  onAgain(): void
}) {
  return (
    <div className="main main--lost" role="alert">
      <div className="gate__wait">
        <Empty icon="circle-x" title={title} text={text}>
          <Button size="sm" icon="refresh" onClick={onAgain}>
            {label}
          </Button>
        </Empty>
      </div>
    </div>
  )
}

/** A fault of ours in one part takes that part only: without it React would take the whole window down, with all that is written in it. */
export class Guard extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override componentDidCatch(error: unknown, { componentStack }: ErrorInfo): void {
    console.error('A part of the window failed.', error, componentStack)
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <NotHere
        title="This part stopped working"
        text="A fault of Sallyport’s own. What you wrote is kept; nothing was sent."
        label="Show it again"
        onAgain={() => this.setState({ failed: false })}
      />
    )
  }
}
