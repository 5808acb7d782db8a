/** The script around the script of every step. */

/** A step lists files here whose names it cannot know in advance, one path below /artifacts per line. */
export const EXTRA_FILES_LIST = '/tmp/.files';

/**
 * Runs the script of a step ($0) and writes its termination message:
 *
 * - after success one line for each of its files ($2 and so on, and those in the list above): checksum, size in bytes, path. A missing file fails
 *   the step. Without files nothing is written, and a message of the step itself is kept.
 * - after failure the last $1 bytes of its output, unless the step wrote a message itself. The kubelet would do that as well, but in a Pod with
 *   many containers it truncates the end of the message, which is where the error is.
 */
export const STEP_RUNNER = [
  '/bin/bash -cxe "$0" 2>&1 | tee /tmp/.said',
  'code=${PIPESTATUS[0]}',
  'if [ "$code" != 0 ]; then [ -s /dev/termination-log ] || tail -c "$1" /tmp/.said > /dev/termination-log; exit "$code"; fi',
  'shift',
  'cd /artifacts 2> /tmp/.said || exit 0',
  `for file in $@ $(cat ${EXTRA_FILES_LIST} 2> /dev/null); do`,
  '  [ -f "$file" ] || { echo "it ended well, but there is no $file" > /dev/termination-log; exit 1; }',
  '  echo "$(sha256sum < "$file" | cut -d " " -f 1) $(stat -c %s "$file") $file"',
  'done > /tmp/.made',
  '[ ! -s /tmp/.made ] || cat /tmp/.made > /dev/termination-log',
].join('\n');
