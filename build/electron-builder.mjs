import { builderConfig } from './package/config.ts'

export default builderConfig(process.env)
