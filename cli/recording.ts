import { type ApiClient, asked } from '../main/client.ts'
import type { RecordingEvent, RecordingManifest } from '../shared/recording.ts'

/** All of a recording that is stored by now, in order. */
export async function readRecording(
  api: ApiClient,
  id: string,
): Promise<{ manifest: RecordingManifest; events: RecordingEvent[] }> {
  const events: RecordingEvent[] = []
  let after = 0
  for (;;) {
    const page = await asked(api.recordings.read({ id, after, limit: 5000 }))
    events.push(...page.events)
    if (page.next === undefined || page.next === after) return { manifest: page.manifest, events }
    after = page.next
  }
}
