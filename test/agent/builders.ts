/** What the tests of the agent start from; each names only what it is about. */
import type { Entry } from '../../agent/journal.js';
import type { Operation } from '../../api/node-agent.js';
import type { NodeAgent } from '../../api/objects.js';
import { bootIdOf } from '../fakes/host.js';

export const JOB = 'upgrade-n1-abc';
export const NOT_AFTER = '2026-01-01T00:30:00.000Z';

export const operation = (more: Partial<Operation> = {}): Operation => ({
  id: 'op-1',
  nodeOp: { namespace: 'default', name: 'upgrade', uid: 'op' },
  nodeUid: 'node',
  step: 'Run',
  stepTimes: {},
  job: { name: JOB, uid: 'job' },
  bootIdBefore: bootIdOf(1),
  ...more,
});

/** The Job is Complete and the node shall reboot. */
export const asked = (more: Partial<Operation> = {}): Operation =>
  operation({ step: 'Reboot', reboot: { jobName: JOB, notAfter: NOT_AFTER }, ...more });

export const withdrawn = (): Operation => operation({ step: 'Withdraw', rebootWithdrawn: true });

export const entry = (more: Partial<Entry> = {}): Entry => ({
  id: 'op-1',
  jobName: JOB,
  bootId: bootIdOf(1),
  notAfter: NOT_AFTER,
  state: 'Rebooting',
  startedAt: '2026-01-01T00:10:00.000Z',
  calledAt: '2026-01-01T00:10:00.000Z',
  ...more,
});

export const nodeAgent = (spec: Partial<NodeAgent['spec']> = {}, status?: NodeAgent['status']): NodeAgent => ({
  metadata: { name: 'n1', uid: 'agent', resourceVersion: '10', generation: 1 },
  spec: { labels: true, ...spec },
  status,
});
