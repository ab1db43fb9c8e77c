import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/**
 * The desktop shell, built: `dist/main.js` (packages stay outside, in node_modules). The preload is built apart, by
 * vite.preload.config.ts: a sandboxed one must be a single CommonJS file.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  ssr: { external: true },
  build: {
    ssr: 'main.ts',
    outDir: 'dist',
    emptyOutDir: true,
    target: 'node24',
    minify: false,
    rollupOptions: { external: ['electron'], output: { format: 'es', entryFileNames: 'main.js' } },
  },
})
