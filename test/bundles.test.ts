/** Size and contents of the controller and webhook bundles. The agent's bundle is tested in test/agent. */
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';

async function bundled(program: string) {
  const { metafile } = await build({
    entryPoints: [`${program}/main.ts`],
    outfile: `${program}.cjs`,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  const [output] = Object.values(metafile.outputs);
  const included = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { bytes: output?.bytes ?? 0, files: included.map(([file]) => file) };
}

/* Most of both bundles is client-node, which is loaded only when a kubeconfig is configured; the webhook also contains express with its character tables. */
test.each([
  ['controller', 1_800_000],
  ['webhook', 2_800_000],
])(
  'the bundle of the %s stays below its size limit and contains only the English locale of zod',
  async (program, maxBytes) => {
    const { bytes, files } = await bundled(program);
    expect(bytes).toBeLessThan(maxBytes);
    const locales = files.filter(file => /node_modules\/zod\/.*\/locales\//.test(file));
    expect(locales.map(file => file.replace(/.*\//, ''))).toEqual(['en.js']);
  },
  60_000,
);
