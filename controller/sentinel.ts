/** The container that writes the sentinel of a Job: the file by which the Job tells the agent that it succeeded. */
import { SHELL_IMAGE } from './default-images.js';
import type { JobSettings } from './nodeop/facts/manifests.js';

/**
 * Uses only commands that every small image has. The rename makes the sentinel appear complete or not at all. Others may write to the directory as
 * well: `set -C` and a name that cannot be guessed make the temporary file new, and a link or a directory in place of the sentinel is refused,
 * since `mv` would write into the directory. The agent removes a temporary file of this name that was left behind.
 */
const SENTINEL_SCRIPT = [
  'set -eC',
  'name="$JOB_NAME-$(date +%s)"',
  'file="$SENTINEL_DIR/$name"',
  'new="$SENTINEL_DIR/.$name.$(cat /proc/sys/kernel/random/uuid).new"',
  'cat /proc/sys/kernel/random/boot_id > "$new"',
  'sync',
  'if [ -L "$file" ] || [ -d "$file" ]; then rm -f "$new"; echo "$file exists and is no regular file" >&2; exit 1; fi',
  'mv "$new" "$file"',
  'sync',
].join('\n');

/** The agent's image is preferred because every node has it already. */
export const sentinelContainer = (config: { agentImage?: string; sentinelImage?: string }): JobSettings['sentinel'] =>
  config.sentinelImage !== undefined || config.agentImage === undefined
    ? { image: config.sentinelImage ?? SHELL_IMAGE, command: ['sh', '-c', SENTINEL_SCRIPT] }
    : { image: config.agentImage, command: ['node', '/app/agent.cjs', 'sentinel'] };
