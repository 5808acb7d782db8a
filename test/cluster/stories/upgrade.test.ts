import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  waitUntilFinished,
  nodeStatuses,
  expectNodesReleased,
  jobsOf,
  NEXT_TRIPLE,
  NEXT_VERSION,
  listNodes,
  type Operator,
  setUpOperator,
  upgradeOf,
  workload,
} from './operator.js';

jest.setTimeout(600_000);

let operator: Operator;
beforeAll(async () => {
  operator = await setUpOperator(3);
});

const boots = () => operator.machines.map(machine => machine.bootCount());
const powerRequests = () => operator.machines.map(machine => machine.powerLog().length);
const increase = (now: number[], before: number[]) => now.map((count, at) => count - (before[at] ?? 0));

/** The lowest number of ready replicas while the promise was pending. */
async function fewestReady<T>(pending: Promise<T>): Promise<{ fewest: number; value: T }> {
  let fewest = Number.POSITIVE_INFINITY;
  const stopped = new AbortController();
  const watch = async () => {
    while (!stopped.signal.aborted) {
      const web = await operator.kubectl.getJson('deployment', 'web');
      fewest = Math.min(fewest, Number(web?.status?.readyReplicas ?? 0));
    }
  };
  const watching = watch();
  const value = await pending.finally(() => stopped.abort());
  await watching;
  return { fewest, value };
}

describe('an upgrade of three nodes, one at a time', () => {
  test('reboots each node once into the new version, and is Complete only after the last node', async () => {
    await operator.kubectl.apply(workload());
    await operator.kubectl.do(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const [before, requestsBefore] = [boots(), powerRequests()];
    await operator.kubectl.apply(upgradeOf('up', operator.nextImage.ref));
    const waited = operator.kubectl.do(['wait', '--for=condition=Complete', 'nodeopupgrade/up', '--timeout=240s'], {
      seconds: 250,
    });
    const { fewest } = await fewestReady(waited);
    const upgrade = await operator.kubectl.getJson('nodeopupgrade', 'up');
    expect(Object.values(nodeStatuses(upgrade)).map(entry => [entry.phase, entry.rebootStatus])).toEqual(
      Array.from({ length: 3 }, () => ['Completed', 'completed']),
    );
    expect(increase(boots(), before)).toEqual([1, 1, 1]);
    expect(increase(powerRequests(), requestsBefore)).toEqual([1, 1, 1]);
    for (const node of await listNodes(operator)) {
      expect(node.metadata?.annotations?.['kairos.io/version']).toBe(NEXT_VERSION);
      expect(node.metadata?.labels?.['kairos.io/boot-state']).toBe('active');
      expect(node.spec?.unschedulable).toBeUndefined();
      expect(node.metadata?.annotations).not.toHaveProperty('operator.kairos.io/cordoned-by');
    }
    expect(fewest).toBeGreaterThanOrEqual(1);
    expect(await jobsOf(operator, 'up')).toHaveLength(3);
    await expectNodesReleased(operator);
  });

  test('starts with the control plane', async () => {
    const statuses = nodeStatuses(await operator.kubectl.getJson('nodeopupgrade', 'up'));
    const [first] = Object.entries(statuses).sort(([, a], [, b]) =>
      (a.startedAt ?? '').localeCompare(b.startedAt ?? ''),
    );
    expect(first?.[0]).toBe('n1');
  });

  test('skips every node when it is repeated with the same image', async () => {
    const before = boots();
    await operator.kubectl.apply(upgradeOf('again', operator.nextImage.ref));
    const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'again');
    expect(upgrade.status?.phase).toBe('Completed');
    for (const entry of Object.values(nodeStatuses(upgrade))) {
      expect(entry).toMatchObject({ phase: 'Completed', reason: 'Skipped' });
      expect(entry.message).toContain(`node is already at ${NEXT_TRIPLE}`);
    }
    expect(await jobsOf(operator, 'again')).toEqual([]);
    expect(boots()).toEqual(before);
    await expectNodesReleased(operator);
  });

  test('upgrades every node again when it is repeated with force', async () => {
    const before = boots();
    await operator.kubectl.apply(upgradeOf('forced', operator.nextImage.ref, { force: true, concurrency: 0 }));
    const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'forced');
    expect(upgrade.status?.phase).toBe('Completed');
    expect(increase(boots(), before)).toEqual([1, 1, 1]);
    await expectNodesReleased(operator);
  });
});

test('kubectl get shows phase, progress and failures of an upgrade', async () => {
  const table = await operator.kubectl.do(['get', 'nodeopupgrades']);
  expect(table.split('\n')[0]).toMatch(/NAME\s+PHASE\s+PROGRESS\s+FAILED\s+VERSION\s+MESSAGE\s+AGE/);
  expect(table).toMatch(/up\s+Completed\s+3\/3\s+0/);
});
