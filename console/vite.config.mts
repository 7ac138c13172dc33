import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {constants, gzipSync} from 'node:zlib';
import {defineConfig} from 'vitest/config';
import type {Plugin} from 'vite';

/** Beside each file its gzip: the api has no compressor, and these never change. */
function compressed(): Plugin {
    let folder = '';
    return {
        name: 'compressed',
        apply: 'build',
        configResolved: (config) => {
            folder = config.build.outDir;
        },
        closeBundle: () => {
            for (const entry of readdirSync(folder, {recursive: true, withFileTypes: true})) {
                if (entry.isFile() && !entry.name.endsWith('.gz')) {
                    const file = join(entry.parentPath ?? entry.path, entry.name);
                    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), {level: constants.Z_BEST_COMPRESSION}));
                }
            }
        },
    };
}

export default defineConfig({
    esbuild: {jsx: 'automatic', jsxImportSource: 'preact'},
    build: {
        outDir: process.env.SEMEL_CONSOLE_OUT ?? '../build/console/site',
        emptyOutDir: true,
        target: 'es2022',
        assetsInlineLimit: 0, // the page may load files of its own, and nothing that stands in it
        modulePreload: {polyfill: false},
    },
    plugins: [compressed()],
    test: {include: ['tests/unit/**/*.test.{ts,tsx}'], env: {TZ: 'UTC'}},
});
