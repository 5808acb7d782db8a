/** Runs before the first test, outside its time limit: prepares the machine and builds the current bundles. Plain JavaScript, because jest loads it without transforms. */
import { execFileSync } from 'node:child_process';
import { tsImport } from 'tsx/esm/api';

export default async function setUp() {
  const { prepare } = await tsImport('./prepare.ts', import.meta.url);
  await prepare();
  execFileSync(process.execPath, ['node_modules/.bin/tsx', 'build.ts'], { stdio: 'inherit' });
}
