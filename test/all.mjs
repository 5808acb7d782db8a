/** Runs all tests for `npm test`: the unit project on all cores, then the cluster project with two workers. Prints one closing line for both. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closingLine } from './closing-line.mjs';

const JEST = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--selectProjects'];
const RUNS = [
  ['unit', '--maxWorkers=100%'],
  ['cluster', '--maxWorkers=2', '--testSequencer=./test/by-name.mjs'],
];

/** A run that wrote no counts has crashed, which counts as a failure. */
function countsIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'counts-'));
const total = { passed: 0, failed: 0, skipped: 0 };
for (const [name, ...options] of RUNS) {
  const file = join(folder, name);
  const { status } = spawnSync(process.execPath, [...JEST, name, ...options], {
    stdio: 'inherit',
    env: { ...process.env, COUNTS_FILE: file },
  });
  const counts = countsIn(file);
  for (const key of Object.keys(total)) total[key] += counts[key];
  if (status !== 0 && counts.failed === 0) total.failed += 1;
}
rmSync(folder, { recursive: true, force: true });
/* Only a run with the long tests uses every permission that is granted. */
if (process.env.LONG_TESTS === 'true') {
  const { status } = spawnSync('npx', ['tsx', 'test/cluster/compare-permissions.ts'], { stdio: 'inherit' });
  total[status === 0 ? 'passed' : 'failed'] += 1;
}
writeSync(1, closingLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;
