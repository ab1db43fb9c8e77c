/** Names on the two hops between page and main process. The page's side is renderer/rpc/link.ts. */

/** preload → main: a page has loaded and wants its port. main → preload: here it is. */
export const connectChannel = 'sallyport:connect'
/** Page → preload, by window.postMessage: it listens. */
export const readyMessage = 'sallyport:ready'
/** Preload → page, with the port. */
export const portMessage = 'sallyport:port'
