import './sign-in.css'
import { useShortcuts } from '../decisions/keys.ts'
import { useNow } from '../decisions/time.ts'
import { useRpc } from '../rpc/context.tsx'
import { Button } from '../theme/controls.tsx'
import { openPage } from './use-sign-in.ts'

/** While the browser has the sign-in; with the code to compare, for the device flow. */
export function Waiting({
  url,
  code,
  expiresAt,
  words = 'The sign-in page is open there. This window goes on by itself.',
}: {
  url: string
  code?: string | undefined
  expiresAt: string
  words?: string
}) {
  const rpc = useRpc()
  const { client } = rpc
  const { os } = rpc.platform
  const left = Math.max(0, Date.parse(expiresAt) - useNow())
  const cancel = () => {
    client.auth.cancel().catch((error: unknown) => console.warn('The sign-in could not be cancelled.', error))
  }
  useShortcuts([{ keys: 'Escape', run: cancel, inFields: true }], os)
  const openAgain = () => openPage(rpc, url)
  return (
    <div className="card scard">
      {/* Not the whole card, whose time would be read out every second. */}
      <div className="row row--10" role="status">
        <span className="spin" aria-hidden="true" />
        <b className="m">Finish in your browser</b>
      </div>
      {code === undefined ? (
        <p className="t2 scard__p">{words}</p>
      ) : (
        <>
          <p className="t2 scard__p">Check that the page shows the same code:</p>
          <Code code={code} />
        </>
      )}
      <div className="row scard__a">
        <Button size="sm" icon="external" onClick={openAgain}>
          Open the page again
        </Button>
        <Button size="sm" kind="ghost" keys="Esc" onClick={cancel}>
          Cancel
        </Button>
        <span className="right sm t3 num">
          {Math.floor(left / 60_000)}:{String(Math.floor(left / 1000) % 60).padStart(2, '0')} left
        </span>
      </div>
    </div>
  )
}

function Code({ code }: { code: string }) {
  return (
    <div className="code6" role="img" aria-label={`Code ${code.split('').join(' ')}`}>
      {code.split('').map((letter, i) =>
        letter === '-' ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: letters of a fixed text
          <i key={i} />
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: letters of a fixed text
          <span key={i}>{letter}</span>
        ),
      )}
    </div>
  )
}
