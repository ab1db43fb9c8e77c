import { keyLabel } from '../decisions/keys.ts'
import { useNavigation } from '../frame/desk.tsx'
import { usePlatform } from '../rpc/context.tsx'
import { Button, Empty } from '../theme/controls.tsx'

/** When no tab is open. */
export function Watermark() {
  const go = useNavigation()
  const { os } = usePlatform()
  return (
    <div className="gate__wait">
      <Empty
        icon="plug"
        title="Open a connection"
        text="Choose one on the left. What you run goes through the gateway, and its decisions show where they are made."
      >
        <Button keys={keyLabel('Mod+K', os)} onClick={() => go.palette(true)}>
          Search connections
        </Button>
      </Empty>
    </div>
  )
}
