import { writeFileSync, writeSync } from 'node:fs';

/** CI parses this line to count the tests of a run. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}

/** A jest reporter that prints this line last. If `COUNTS_FILE` is set, it writes the counts to that file instead, and `all.mjs` adds them up. */
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests,
    };
    const file = process.env.COUNTS_FILE;
    if (file) writeFileSync(file, JSON.stringify(counts));
    else process.once('exit', () => writeSync(1, closingLine(counts)));
  }
}
