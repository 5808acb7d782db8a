import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import {
  ended,
  entries,
  expectFree,
  jobsOf,
  NEXT_TRIPLE,
  NEXT_VERSION,
  nodes,
  type Operator,
  operator,
  upgradeOf,
  workload,
} from './operator.js';

jest.setTimeout(600_000);

let it: Operator;
beforeAll(async () => {
  it = await operator(3);
});

const boots = () => it.machines.map(machine => machine.bootCount());
const asked = () => it.machines.map(machine => machine.powerLog().length);
const more = (now: number[], before: number[]) => now.map((count, at) => count - (before[at] ?? 0));

/** The fewest Ready replicas seen while the promise was pending. */
async function fewestReady<T>(pending: Promise<T>): Promise<{ fewest: number; value: T }> {
  let fewest = Number.POSITIVE_INFINITY;
  const over = new AbortController();
  const watch = async () => {
    while (!over.signal.aborted) {
      const web = await it.kubectl.getJson('deployment', 'web');
      fewest = Math.min(fewest, Number(web?.status?.readyReplicas ?? 0));
    }
  };
  const watching = watch();
  const value = await pending.finally(() => over.abort());
  await watching;
  return { fewest, value };
}

describe('three nodes, one after the other', () => {
  test('each is rebooted once into the new version, and Complete comes at the very end', async () => {
    await it.kubectl.apply(workload());
    await it.kubectl.do(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const [before, askedBefore] = [boots(), asked()];
    await it.kubectl.apply(upgradeOf('up', it.next.ref));
    const waited = it.kubectl.do(['wait', '--for=condition=Complete', 'nodeopupgrade/up', '--timeout=240s'], {
      seconds: 250,
    });
    const { fewest } = await fewestReady(waited);
    const upgrade = await it.kubectl.getJson('nodeopupgrade', 'up');
    expect(Object.values(entries(upgrade)).map(entry => [entry.phase, entry.rebootStatus])).toEqual(
      Array.from({ length: 3 }, () => ['Completed', 'completed']),
    );
    expect(more(boots(), before)).toEqual([1, 1, 1]);
    expect(more(asked(), askedBefore)).toEqual([1, 1, 1]);
    for (const node of await nodes(it)) {
      expect(node.metadata?.annotations?.['kairos.io/version']).toBe(NEXT_VERSION);
      expect(node.metadata?.labels?.['kairos.io/boot-state']).toBe('active');
      expect(node.spec?.unschedulable).toBeUndefined();
      expect(node.metadata?.annotations).not.toHaveProperty('operator.kairos.io/cordoned-by');
    }
    expect(fewest).toBeGreaterThanOrEqual(1);
    expect(await jobsOf(it, 'up')).toHaveLength(3);
    await expectFree(it);
  });

  test('the control plane went first', async () => {
    const statuses = entries(await it.kubectl.getJson('nodeopupgrade', 'up'));
    const [first] = Object.entries(statuses).sort(([, a], [, b]) =>
      (a.startedAt ?? '').localeCompare(b.startedAt ?? ''),
    );
    expect(first?.[0]).toBe('n1');
  });

  test('a second upgrade to the same image leaves every node alone', async () => {
    const before = boots();
    await it.kubectl.apply(upgradeOf('again', it.next.ref));
    const upgrade = await ended(it, 'nodeopupgrade', 'again');
    expect(upgrade.status?.phase).toBe('Completed');
    for (const entry of Object.values(entries(upgrade))) {
      expect(entry).toMatchObject({ phase: 'Completed', reason: 'Skipped' });
      expect(entry.message).toContain(`node is already at ${NEXT_TRIPLE}`);
    }
    expect(await jobsOf(it, 'again')).toEqual([]);
    expect(boots()).toEqual(before);
    await expectFree(it);
  });

  test('with force it runs all the same', async () => {
    const before = boots();
    await it.kubectl.apply(upgradeOf('forced', it.next.ref, { force: true, concurrency: 0 }));
    const upgrade = await ended(it, 'nodeopupgrade', 'forced');
    expect(upgrade.status?.phase).toBe('Completed');
    expect(more(boots(), before)).toEqual([1, 1, 1]);
    await expectFree(it);
  });
});

test('a watcher that follows the columns reads progress', async () => {
  const table = await it.kubectl.do(['get', 'nodeopupgrades']);
  expect(table.split('\n')[0]).toMatch(/NAME\s+PHASE\s+PROGRESS\s+FAILED\s+VERSION\s+MESSAGE\s+AGE/);
  expect(table).toMatch(/up\s+Completed\s+3\/3\s+0/);
});
