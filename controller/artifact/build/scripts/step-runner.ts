/** The script around the script of every step. */
import { PUBLISHABLE_LINES } from './private-lines.js';

/** A step lists files here whose names it cannot know in advance, one path below /artifacts per line. */
export const EXTRA_FILES_LIST = '/tmp/.files';

/** The end of the log that may be published, of at most $1 bytes. The log itself, with all lines, stays with the Pod. */
const LAST_LINES = `last() {
  publishable /tmp/.said > /tmp/.last
  [ -s /tmp/.last ] || echo 'its log has no line that may be published: kubectl logs shows it' > /tmp/.last
  tail -c "$1" /tmp/.last
}`;

/**
 * Runs the script of a step ($0) and writes its termination message:
 *
 * - after success one line for each of its files ($2 and so on, and those in the list above): checksum, size in bytes, path. A missing file fails
 *   the step. Without files nothing is written, and a message of the step itself is kept.
 * - after failure the last $1 bytes of its output without private lines, unless the step wrote a message itself.
 *
 * As the first process of its container it gets the signal that ends the Pod, and passes it to the processes of the step, so that the script can clean up.
 */
export const STEP_RUNNER = [
  PUBLISHABLE_LINES,
  LAST_LINES,
  'set -m',
  `{ trap : TERM; /bin/bash -cxe "$0" 2>&1 | { trap '' TERM; tee /tmp/.said; }; exit "\${PIPESTATUS[0]}"; } &`,
  'step=$!',
  `trap 'kill -TERM -- "-$step"' TERM`,
  'wait "$step"; code=$?',
  /* The signal ends the first wait, not the step, which cleans up. */
  '[ "$code" -lt 128 ] || { wait "$step"; code=$?; }',
  'set +m',
  'if [ "$code" != 0 ]; then [ -s /dev/termination-log ] || last "$1" > /dev/termination-log; exit "$code"; fi',
  'shift',
  'cd /artifacts 2> /tmp/.said || exit 0',
  `for file in $@ $(cat ${EXTRA_FILES_LIST} 2> /dev/null); do`,
  '  [ -f "$file" ] || { echo "it ended well, but there is no $file" > /dev/termination-log; exit 1; }',
  '  echo "$(sha256sum < "$file" | cut -d " " -f 1) $(stat -c %s "$file") $file"',
  'done > /tmp/.made',
  '[ ! -s /tmp/.made ] || cat /tmp/.made > /dev/termination-log',
].join('\n');
