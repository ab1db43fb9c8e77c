import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** `dist/preload.cjs`: one file, as a sandboxed preload must be. Runs after vite.config.ts, which empties the folder. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    lib: { entry: 'preload.ts', formats: ['cjs'], fileName: () => 'preload.cjs' },
    outDir: 'dist',
    emptyOutDir: false,
    target: 'es2023',
    minify: false,
    rollupOptions: { external: ['electron'] },
  },
})
