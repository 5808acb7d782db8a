/** Before the first test, without its time limit: what a new machine still lacks, and the bundles as they are now. Loaded without the test runner's transforms, hence plain JavaScript. */
import { execFileSync } from 'node:child_process';
import { tsImport } from 'tsx/esm/api';

export default async function setUp() {
  const { prepare } = await tsImport('./prepare.ts', import.meta.url);
  await prepare();
  execFileSync(process.execPath, ['node_modules/.bin/tsx', 'build.ts'], { stdio: 'inherit' });
}
