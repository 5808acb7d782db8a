/** The container that writes the sentinel of a Job: the file by which the Job tells the agent that it succeeded. */
import type { JobSettings } from './nodeop/facts/manifests.js';

/** Uses only commands that every small image has. The rename makes the sentinel appear complete or not at all. */
const SENTINEL_SCRIPT = [
  'set -e',
  'file="$SENTINEL_DIR/$JOB_NAME-$(date +%s)"',
  'cat /proc/sys/kernel/random/boot_id > "$SENTINEL_DIR/.$JOB_NAME.tmp"',
  'sync',
  'mv "$SENTINEL_DIR/.$JOB_NAME.tmp" "$file"',
  'sync',
].join('\n');

/** The agent's image is preferred because every node has it already. */
export const sentinelContainer = (config: { agentImage?: string; sentinelImage?: string }): JobSettings['sentinel'] =>
  config.sentinelImage !== undefined || config.agentImage === undefined
    ? { image: config.sentinelImage ?? 'busybox:latest', command: ['sh', '-c', SENTINEL_SCRIPT] }
    : { image: config.agentImage, command: ['node', '/app/agent.cjs', 'sentinel'] };
