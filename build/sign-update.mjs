import { Staging, signFolder, signingKey } from './package/sign.ts'

const { SALLYPORT_UPDATE_SIGNING_KEY: key, SALLYPORT_STAGING: staging = '100' } = process.env
if (key === undefined) throw new Error('SALLYPORT_UPDATE_SIGNING_KEY is not set.')
const signed = await signFolder(process.argv[2] ?? 'out', signingKey(key), Staging.parse(staging))
console.log(`signed for ${staging}%: ${signed.join(', ')}`)
