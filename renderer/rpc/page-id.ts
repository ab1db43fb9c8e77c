/** What this page calls itself to the client core, so that what it opened is closed once it is gone. Another one at each load. */
export const pageId = crypto.randomUUID()
