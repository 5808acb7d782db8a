/** Builders of snapshots and node states with defaults. */
import type { NodeStatus } from '../../api/node-status.js';
import type { NodeState, Snapshot } from '../../demo/snapshot.js';

export const NOW = new Date('2030-01-01T00:01:00.000Z');
export const at = (second: number): string => new Date(Date.UTC(2030, 0, 1, 0, 0, 0) + second * 1000).toISOString();

export const node = (name: string, change: Partial<NodeState> = {}): NodeState => ({
  name,
  controlPlane: name === 'n1',
  version: 'v3.5.0',
  schedulable: true,
  ready: true,
  ...change,
});

export const snapshot = (change: Partial<Snapshot> = {}): Snapshot => ({
  nodes: [node('n1'), node('n2')],
  boots: { n1: 1, n2: 1 },
  upgrade: {},
  readyPods: 2,
  requiredPods: 1,
  ...change,
});

export const status = (change: Partial<NodeStatus>): NodeStatus => ({ phase: 'Running', ...change });
