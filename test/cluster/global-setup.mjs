/** Before the first test, without its time limit: what a new machine still lacks. Loaded without the test runner's transforms, hence plain JavaScript. */
import { tsImport } from 'tsx/esm/api';

export default async function setUp() {
  const { prepare } = await tsImport('./prepare.ts', import.meta.url);
  await prepare();
}
