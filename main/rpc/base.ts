import { implement } from '@orpc/server'
import { rpcContract } from '../../shared/rpc/contract.ts'
import { forwardedError, rpcError } from './errors.ts'

/** The contract's procedures, to be implemented; whatever they throw reaches the renderer in words. */
export const rpc = implement(rpcContract).use(async ({ next, path }) => {
  try {
    return await next()
  } catch (error) {
    throw path[0] === 'gateway' ? forwardedError(error) : rpcError(error)
  }
})
