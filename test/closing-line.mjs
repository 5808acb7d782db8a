import { writeFileSync, writeSync } from 'node:fs';

/** The line by which CI counts a run. */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}

/** Prints that line as the very last thing; or, where `COUNTS_FILE` names a file, leaves the counts there for `all.mjs` to add up. */
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
