/** Bundles the three programs into dist/: one CommonJS file each, so that an image needs Node and nothing else. */
import { existsSync } from 'node:fs';
import { build } from 'esbuild';

const PROGRAMS = ['controller', 'webhook', 'agent'].filter(program => existsSync(`${program}/main.ts`));

for (const program of PROGRAMS) {
  await build({
    entryPoints: [`${program}/main.ts`],
    outfile: `dist/${program}.cjs`,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
}
