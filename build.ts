/** Bundles the three programs into dist/: one CommonJS file each, so that an image needs Node and nothing else; and the one library that the agent loads on wish. */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';

const FILES = {
  controller: 'controller/main.ts',
  webhook: 'webhook/main.ts',
  agent: 'agent/main.ts',
  systeminformation: 'systeminformation',
};

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

for (const [name, entry] of Object.entries(FILES)) {
  await build({
    entryPoints: [entry],
    outfile: `dist/${name}.cjs`,
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
