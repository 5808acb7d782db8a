/** What leaves the word on the host that a Job succeeded: the agent's image, which every node has, or an image with a shell. */
import type { JobSettings } from './nodeop/facts/manifests.js';

const SHELL = [
  'set -e',
  'file="$SENTINEL_DIR/$JOB_NAME-$(date +%s)"',
  'cat /proc/sys/kernel/random/boot_id > "$SENTINEL_DIR/.$JOB_NAME.tmp"',
  'sync',
  'mv "$SENTINEL_DIR/.$JOB_NAME.tmp" "$file"',
  'sync',
].join('\n');

export const sentinelFrom = (config: { agentImage?: string; sentinelImage?: string }): JobSettings['sentinel'] =>
  config.sentinelImage !== undefined || config.agentImage === undefined
    ? { image: config.sentinelImage ?? 'busybox:latest', command: ['sh', '-c', SHELL] }
    : { image: config.agentImage, command: ['node', '/app/agent.cjs', 'sentinel'] };
