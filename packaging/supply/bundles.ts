/** The bundles: one CommonJS file per program, so that an image needs Node and nothing else; and the one library that the agent loads on wish. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Package, packagesIn } from './packages.js';

/** What each image carries, and where each file begins. */
export const IMAGES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kairos-operator': { controller: 'controller/main.ts', webhook: 'webhook/main.ts' },
  'kairos-operator-agent': { agent: 'agent/main.ts', systeminformation: 'systeminformation' },
};

export interface Plan {
  /** The checkout. */
  root: string;
  /** Where the bundles are written. */
  out: string;
  version: string;
}

/** Asked for by "debug" where it happens to be installed, as it is beside our tools for developing; nobody misses it. */
export const OPTIONAL = ['supports-color'];

/** Writes the bundles of an image, and tells of which packages they hold a piece. */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  { root, out, version }: Plan,
): Promise<Package[]> {
  const inside = new Map<string, Package>();
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
      external: OPTIONAL,
      metafile: true,
      legalComments: 'none', // they are in THIRD-PARTY-NOTICES
      define: { 'process.env.KAIROS_OPERATOR_VERSION': JSON.stringify(version) },
      logLevel: 'warning',
    });
    for (const found of packagesIn(metafile, root)) inside.set(found.path, together(found, inside.get(found.path)));
  }
  return [...inside.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** One bundle has these files of a package, another those. */
const together = (one: Package, other: Package | undefined): Package => ({
  ...one,
  comments: [...new Set([...(other?.comments ?? []), ...one.comments])],
});
