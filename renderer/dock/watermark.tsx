import { useKeys } from '../actions/use-actions.ts'
import { useNavigation } from '../frame/desk.tsx'
import { Button, Empty } from '../theme/controls.tsx'

/** When no tab is open. */
export function Watermark() {
  const go = useNavigation()
  const keys = useKeys('app.palette')
  return (
    <div className="gate__wait">
      <Empty
        icon="plug"
        title="Open a connection"
        text="Choose one on the left. What you run goes through the gateway, and its decisions show where they are made."
      >
        <Button keys={keys} onClick={() => go.palette(true)}>
          Search connections
        </Button>
      </Empty>
    </div>
  )
}
