import { defineConfig } from 'vite';

// biome-ignore lint/style/noDefaultExport: Vite reads the default export.
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // The page's policy allows files of its own origin only: nothing inlined, no polyfill script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
