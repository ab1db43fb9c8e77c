import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { ironRdp } from './iron-rdp.vite.config.ts'

/** The page, for both shells: `base` is relative, so that it loads from a loopback server and from Electron's own protocol. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [react(), ironRdp()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Everything is a file of the same origin: the content security policy allows no data: URLs for images and fonts.
    assetsInlineLimit: 0,
    // Monaco and AG Grid are large and load only with the first SQL tab.
    chunkSizeWarningLimit: 6000,
  },
  worker: { format: 'es' },
})
