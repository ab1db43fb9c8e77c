import type { ClientMetadata } from 'oidc-provider'

/** The OAuth clients of a gateway. There is no registration: people's clients are these two, machines are configured. */

export const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code'
export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Where desktop and CLI wait for the answer: any port of a loopback address (RFC 8252, 7.3), or the app's own scheme. */
const loopback = ['http://127.0.0.1/callback', 'http://[::1]/callback']
export const customScheme = 'sallyport://callback'

const people = {
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  response_types: ['code'],
  // A stolen token is of no use without the key that it is bound to.
  dpop_bound_access_tokens: true,
  id_token_signed_response_alg: 'ES256',
  scope: 'openid profile offline_access',
} satisfies Partial<ClientMetadata>

export const peoplesClients: readonly ClientMetadata[] = [
  {
    ...people,
    client_id: 'sallyport-desktop',
    client_name: 'Sallyport desktop',
    redirect_uris: loopback,
    grant_types: ['authorization_code', 'refresh_token', deviceGrant],
  },
  {
    ...people,
    client_id: 'sallyport-cli',
    client_name: 'Sallyport command line',
    redirect_uris: loopback,
    grant_types: ['authorization_code', 'refresh_token', deviceGrant],
  },
]

/** A machine as oidc-provider knows it. `client_secret` is the hash: see `compareClientSecret` in `provider.ts`. */
export function machineClient(machine: {
  client_id: string
  name: string
  secret_hash: string | null
}): ClientMetadata {
  const shared = {
    client_id: machine.client_id,
    client_name: machine.name,
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: 'ES256',
    scope: 'openid profile',
  } satisfies ClientMetadata
  return machine.secret_hash === null
    ? { ...shared, grant_types: [tokenExchangeGrant], token_endpoint_auth_method: 'none' }
    : {
        ...shared,
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret: machine.secret_hash,
      }
}
