/** Bundles the three programs into dist/: one CommonJS file each, so that an image needs Node and nothing else. */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

const PROGRAMS = ['controller', 'webhook', 'agent'];

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

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
    define: { 'process.env.KAIROS_OPERATOR_VERSION': JSON.stringify(version) },
    logLevel: 'warning',
  });
}
