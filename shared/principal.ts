import { z } from 'zod'

/** Who asks. `id` is the login name (`ada`) or the machine's client id; it is the entity id in policy. */
export const Principal = z.object({
  kind: z.enum(['user', 'machine']),
  id: z.string().min(1),
  name: z.string(),
  groups: z.array(z.string()),
})
export type Principal = z.infer<typeof Principal>
