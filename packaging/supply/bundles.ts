/** Builds the bundles: one CommonJS file per program, so that an image needs only Node, and one file for the library that the agent loads on demand. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Package, packagesIn } from './packages.js';

/** The bundles of each image, and the entry point of each bundle. */
export const IMAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kairos-operator': {
    controller: 'controller/main.ts',
    webhook: 'webhook/main.ts',
    'template-worker': 'controller/artifact/template/worker.ts',
  },
  'kairos-operator-agent': { agent: 'agent/main.ts', systeminformation: 'systeminformation' },
};

export interface BundleOptions {
  /** Root folder of the repository. */
  root: string;
  /** Folder to write the bundles to. */
  out: string;
  version: string;
}

/** The package "debug" uses this one if it is installed, as it is with the development tools. It stays out of the bundles, which work without it. */
export const OPTIONAL_PACKAGES = ['supports-color'];

/** Writes the bundles of an image and returns the packages whose code they contain. */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  { root, out, version }: BundleOptions,
): Promise<Package[]> {
  const packages = new Map<string, Package>();
  for (const [name, entry] of Object.entries(entries)) {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: join(out, `${name}.cjs`),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      minify: true,
      external: OPTIONAL_PACKAGES,
      metafile: true,
      legalComments: 'none', // THIRD-PARTY-NOTICES contains them
      define: { 'process.env.KAIROS_OPERATOR_VERSION': JSON.stringify(version) },
      logLevel: 'warning',
    });
    for (const found of packagesIn(metafile, root)) packages.set(found.path, merged(found, packages.get(found.path)));
  }
  return [...packages.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Different bundles of an image may contain different files of the same package. */
const merged = (one: Package, other: Package | undefined): Package => ({
  ...one,
  comments: [...new Set([...(other?.comments ?? []), ...one.comments])],
});
