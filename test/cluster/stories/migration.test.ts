/** The operator written in Go stops in the middle of its work, and this one takes over. */
import { join } from 'node:path';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { repository } from '../paths.js';
import { waitFor } from '../wait.js';
import { FINALIZER, formerInstallation, formerJob, formerOp, formerRebootPod } from './legacy-operator.js';
import { ended, entries, expectFree, type Operator, operator } from './operator.js';
import { diary, expectGone, expectUntouched, forget, go, powerCount, UNTIL_GO, write } from './world.js';

jest.setTimeout(300_000);

const RIGHTS = join(repository, 'manifests/components/migration/rbac.yaml');
const OURS = ['-n', 'operator-system', 'deployment/operator-controller'];
const FORMERS = ['deployment', 'operator-kairos-operator', '-n', 'operator-system'];

let it: Operator;
let counts: (() => { boots: number; told: number })[];
let before: unknown;

/** In the place of its cordon: the mark says whose it is. */
const cordonFor = (node: string, name: string, uid: string) =>
  it.kubectl.do([
    'patch',
    'node',
    node,
    '-p',
    JSON.stringify({
      metadata: { annotations: { 'operator.kairos.io/cordoned-by': `default/${name}@${uid}` } },
      spec: { unschedulable: true },
    }),
  ]);

const at = (index: number): Machine => {
  const machine = it.machines[index];
  if (machine === undefined) throw new Error(`there is no machine ${index}`);
  return machine;
};

/** On the second node a Job runs, on the third one is complete and its reboot not called yet. */
async function leaveBehind(): Promise<void> {
  const { kubectl } = it;
  await kubectl.do(['scale', '--replicas=0', ...OURS]);
  await kubectl.apply(formerInstallation());
  await kubectl.do(['apply', '-f', RIGHTS]);
  const running = { name: 'running', node: 'n2', spec: { cordon: true } };
  const waiting = { name: 'waiting', node: 'n3', spec: { cordon: true } };
  const jobName = (one: { name: string; node: string }) => `${one.name}-${one.node}-x7k2p`;
  const uids = [
    await formerOp(kubectl, {
      ...running,
      phase: 'Running',
      entry: { phase: 'Running', message: 'Job is running', rebootStatus: 'pending', jobName: jobName(running) },
    }),
    await formerOp(kubectl, {
      ...waiting,
      phase: 'Running',
      entry: {
        phase: 'Completed',
        message: 'Job completed successfully',
        rebootStatus: 'pending',
        jobName: jobName(waiting),
      },
    }),
  ] as const;
  await cordonFor('n2', 'running', uids[0]);
  await cordonFor('n3', 'waiting', uids[1]);
  await kubectl.apply([
    formerRebootPod(running, uids[0]),
    formerJob(running, uids[0], `${write('ran')}; ${UNTIL_GO}`),
    formerJob(waiting, uids[1], write('ran')),
  ]);
  await kubectl.do(['wait', '--for=condition=Complete', `job/${jobName(waiting)}`, '--timeout=60s']);
  await formerOp(kubectl, {
    name: 'done',
    node: 'n2',
    phase: 'Completed',
    entry: { phase: 'Completed', message: 'Job and reboot completed successfully', rebootStatus: 'completed' },
  });
  before = (await kubectl.getJson('nodeop', 'done'))?.status;
  await formerOp(kubectl, { name: 'deleted', node: 'n2', phase: 'Running', entry: { phase: 'Pending' } });
  await kubectl.do(['delete', 'nodeop', 'deleted', '--wait=false']);
  await kubectl.do(['rollout', 'status', ...FORMERS.slice(0, 2), ...FORMERS.slice(2), '--timeout=60s']);
  await kubectl.apply(formerRebootPod(waiting, uids[1]));
}

beforeAll(async () => {
  it = await operator(3);
  forget(it);
  counts = it.machines.map(powerCount);
  await leaveBehind();
  await it.kubectl.do(['scale', '--replicas=1', ...OURS]);
});

describe('the operator written in Go', () => {
  test('is scaled to 0, and has ended before anything is done', async () => {
    await it.kubectl.waitForObject(FORMERS, object => object.spec?.['replicas'] === 0, 60);
    await it.kubectl.waitForObject(['nodeop', 'running'], object => object.status?.['startedAt'] !== undefined, 90);
    const its = ['pods', '-n', 'operator-system', '-l', 'app=operator-kairos-operator'];
    const pods = (await it.kubectl.getJson(...its))?.items ?? [];
    expect(pods).toEqual([]);
  });

  test('leaves no labeler, no role and no binding', async () => {
    const left = async () => [
      ...((await it.kubectl.getJson('daemonsets', '-n', 'operator-system'))?.items ?? []),
      ...((await it.kubectl.getJson('clusterroles,clusterrolebindings'))?.items ?? []),
    ];
    const isFormers = (name = '') => /^(kairos-node-labeler|nodeop-reboot.*)$/.test(name);
    const gone = async () => !(await left()).some(({ metadata }) => isFormers(metadata?.name));
    expect(await waitFor(gone, { what: 'its leftovers to be gone', seconds: 60 })).toBe(true);
  });
});

describe('its operations', () => {
  test('one whose reboot was not called yet: the node is rebooted once, by its agent, and let go', async () => {
    const op = await ended(it, 'nodeop', 'waiting');
    expect(entries(op)['n3']).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
    expect(counts[2]?.()).toEqual({ boots: 1, told: 1 });
    expect(diary(at(2))).toEqual(['ran']);
  });

  test('one whose Job runs: it runs on, then the node is rebooted once and let go', async () => {
    expect(counts[1]?.()).toEqual({ boots: 0, told: 0 });
    go(at(1));
    const op = await ended(it, 'nodeop', 'running');
    expect(entries(op)['n2']).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
    expect(counts[1]?.()).toEqual({ boots: 1, told: 1 });
    expect(diary(at(1))).toEqual(['ran']);
  });

  test('one that is over keeps its status to the letter, and loses its finalizer', async () => {
    const op = await it.kubectl.waitForObject(
      ['nodeop', 'done'],
      ({ metadata }) => !(metadata?.['finalizers'] as string[] | undefined)?.includes(FINALIZER),
    );
    expect(op.status).toEqual(before);
  });

  test('one that was being deleted is gone', async () => {
    await expectGone(it, 'deleted');
    expect(await it.kubectl.getJson('nodeop', 'deleted')).toBeUndefined();
  });

  test('no node is left cordoned, no object held', async () => {
    await expectUntouched(it, 'n1', 'n2', 'n3');
    await expectFree(it);
    const held = (await it.kubectl.getJson('nodeops'))?.items?.filter(op => op.metadata?.['finalizers'] !== undefined);
    expect(held).toEqual([]);
    await it.kubectl.do(['delete', '-f', RIGHTS]);
    await it.kubectl.do(['delete', ...FORMERS]);
  });
});
