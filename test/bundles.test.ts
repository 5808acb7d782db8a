/** What the two programs of the shared image are bundled from; the agent has a test of its own. */
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
  const inside = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { bytes: output?.bytes ?? 0, files: inside.map(([file]) => file) };
}

/* Most of either is client-node, loaded only where a kubeconfig is named, and in the webhook express with its tables of characters. */
test.each([
  ['controller', 1_700_000],
  ['webhook', 2_800_000],
])(
  'the %s is of moderate size and speaks English only',
  async (program, most) => {
    const { bytes, files } = await bundled(program);
    expect(bytes).toBeLessThan(most);
    const languages = files.filter(file => /node_modules\/zod\/.*\/locales\//.test(file));
    expect(languages.map(file => file.replace(/.*\//, ''))).toEqual(['en.js']);
  },
  60_000,
);
