import type { FastifyInstance } from 'fastify'

/**
 * Where links in messages lead: a page with one link into the client. It knows nothing of the request, acts on nothing, and needs
 * no sign-in.
 */
export function registerOpenPage(app: FastifyInstance): void {
  app.get<{ Params: { id: string } }>('/open/request/:id', async ({ params: { id } }, reply) => {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) return reply.callNotFound()
    return reply.type('text/html; charset=utf-8').send(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Open in Sallyport</title>
<h1>A request in Sallyport</h1>
<p><a href="sallyport://request/${id}">Open it in the desktop client</a></p>
<p>In a terminal: <code>sallyport requests --id ${id}</code></p>
</html>
`)
  })
}
