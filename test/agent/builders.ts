/** Objects that the tests of the agent start from; each test names only the fields that it depends on. */
import type { JournalEntry } from '../../agent/reboot-journal.js';
import type { Operation } from '../../api/node-agent.js';
import type { NodeAgent } from '../../api/objects.js';
import { bootIdOf } from '../fakes/host.js';

export const JOB = 'upgrade-n1-abc';
export const NOT_AFTER = '2026-01-01T00:30:00.000Z';

export const operation = (overrides: Partial<Operation> = {}): Operation => ({
  id: 'op-1',
  nodeOp: { namespace: 'default', name: 'upgrade', uid: 'op' },
  nodeUid: 'node',
  step: 'Run',
  stepTimes: {},
  job: { name: JOB, uid: 'job' },
  bootIdBefore: bootIdOf(1),
  ...overrides,
});

/** The Job is Complete and the controller requests a reboot. */
export const rebootRequested = (overrides: Partial<Operation> = {}): Operation =>
  operation({ step: 'Reboot', reboot: { jobName: JOB, notAfter: NOT_AFTER }, ...overrides });

export const rebootWithdrawn = (): Operation => operation({ step: 'Withdraw', rebootWithdrawn: true });

export const entry = (overrides: Partial<JournalEntry> = {}): JournalEntry => ({
  id: 'op-1',
  jobName: JOB,
  bootId: bootIdOf(1),
  notAfter: NOT_AFTER,
  state: 'Rebooting',
  startedAt: '2026-01-01T00:10:00.000Z',
  calledAt: '2026-01-01T00:10:00.000Z',
  ...overrides,
});

export const nodeAgent = (spec: Partial<NodeAgent['spec']> = {}, status?: NodeAgent['status']): NodeAgent => ({
  metadata: { name: 'n1', uid: 'agent', resourceVersion: '10', generation: 1 },
  spec: { labels: true, ...spec },
  status,
});
