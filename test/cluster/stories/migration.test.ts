/** The legacy operator is replaced in the middle of its operations, which this operator migrates. */
import { join } from 'node:path';
import { beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { repository } from '../paths.js';
import { waitFor } from '../wait.js';
import { FINALIZER, legacyInstallation, legacyJob, createLegacyNodeOp, legacyRebootPod } from './legacy-operator.js';
import { appendToLog, commandLog, letContinue, resetCommandLogs, WAIT_TO_CONTINUE } from './command-log.js';
import { countPowerEvents, expectClean, expectDeleted } from './node-state.js';
import { expectNodesReleased, nodeStatuses, type Operator, setUpOperator, waitUntilFinished } from './operator.js';

jest.setTimeout(300_000);

const MIGRATION_RBAC = join(repository, 'manifests/components/migration/rbac.yaml');
const OWN_DEPLOYMENT = ['-n', 'operator-system', 'deployment/operator-controller'];
const LEGACY_DEPLOYMENT = ['deployment', 'operator-kairos-operator', '-n', 'operator-system'];

let it: Operator;
let counts: (() => { boots: number; requests: number })[];
let before: unknown;

/** Cordons the node with the cordon mark of the operation. */
const cordonNode = (node: string, name: string, uid: string) =>
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

/** The Job of the second node runs; the Job of the third is complete and its reboot not triggered yet. */
async function createLegacyState(): Promise<void> {
  const { kubectl } = it;
  await kubectl.do(['scale', '--replicas=0', ...OWN_DEPLOYMENT]);
  await kubectl.apply(legacyInstallation());
  await kubectl.do(['apply', '-f', MIGRATION_RBAC]);
  const running = { name: 'running', node: 'n2', spec: { cordon: true } };
  const waiting = { name: 'waiting', node: 'n3', spec: { cordon: true } };
  const jobName = (one: { name: string; node: string }) => `${one.name}-${one.node}-x7k2p`;
  const uids = [
    await createLegacyNodeOp(kubectl, {
      ...running,
      phase: 'Running',
      entry: { phase: 'Running', message: 'Job is running', rebootStatus: 'pending', jobName: jobName(running) },
    }),
    await createLegacyNodeOp(kubectl, {
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
  await cordonNode('n2', 'running', uids[0]);
  await cordonNode('n3', 'waiting', uids[1]);
  await kubectl.apply([
    legacyRebootPod(running, uids[0]),
    legacyJob(running, uids[0], `${appendToLog('ran')}; ${WAIT_TO_CONTINUE}`),
    legacyJob(waiting, uids[1], appendToLog('ran')),
  ]);
  await kubectl.do(['wait', '--for=condition=Complete', `job/${jobName(waiting)}`, '--timeout=60s']);
  await createLegacyNodeOp(kubectl, {
    name: 'done',
    node: 'n2',
    phase: 'Completed',
    entry: { phase: 'Completed', message: 'Job and reboot completed successfully', rebootStatus: 'completed' },
  });
  before = (await kubectl.getJson('nodeop', 'done'))?.status;
  await createLegacyNodeOp(kubectl, { name: 'deleted', node: 'n2', phase: 'Running', entry: { phase: 'Pending' } });
  await kubectl.do(['delete', 'nodeop', 'deleted', '--wait=false']);
  await kubectl.do([
    'rollout',
    'status',
    ...LEGACY_DEPLOYMENT.slice(0, 2),
    ...LEGACY_DEPLOYMENT.slice(2),
    '--timeout=60s',
  ]);
  await kubectl.apply(legacyRebootPod(waiting, uids[1]));
}

beforeAll(async () => {
  it = await setUpOperator(3);
  resetCommandLogs(it);
  counts = it.machines.map(countPowerEvents);
  await createLegacyState();
  await it.kubectl.do(['scale', '--replicas=1', ...OWN_DEPLOYMENT]);
});

describe('the legacy operator', () => {
  test('is scaled to 0 and has stopped before anything is migrated', async () => {
    await it.kubectl.waitForObject(LEGACY_DEPLOYMENT, object => object.spec?.['replicas'] === 0, 60);
    await it.kubectl.waitForObject(['nodeop', 'running'], object => object.status?.['startedAt'] !== undefined, 90);
    const podsQuery = ['pods', '-n', 'operator-system', '-l', 'app=operator-kairos-operator'];
    const pods = (await it.kubectl.getJson(...podsQuery))?.items ?? [];
    expect(pods).toEqual([]);
  });

  test('leaves no labeler, ClusterRole or ClusterRoleBinding', async () => {
    const left = async () => [
      ...((await it.kubectl.getJson('daemonsets', '-n', 'operator-system'))?.items ?? []),
      ...((await it.kubectl.getJson('clusterroles,clusterrolebindings'))?.items ?? []),
    ];
    const isLegacy = (name = '') => /^(kairos-node-labeler|nodeop-reboot.*)$/.test(name);
    const areDeleted = async () => !(await left()).some(({ metadata }) => isLegacy(metadata?.name));
    expect(await waitFor(areDeleted, { what: 'the legacy objects to be deleted', seconds: 60 })).toBe(true);
  });
});

describe('an operation of the legacy operator', () => {
  test('has its node rebooted once by the agent and released if the reboot was not triggered yet', async () => {
    const op = await waitUntilFinished(it, 'nodeop', 'waiting');
    expect(nodeStatuses(op)['n3']).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
    expect(counts[2]?.()).toEqual({ boots: 1, requests: 1 });
    expect(commandLog(at(2))).toEqual(['ran']);
  });

  test('continues its running Job, then has its node rebooted once and released', async () => {
    expect(counts[1]?.()).toEqual({ boots: 0, requests: 0 });
    letContinue(at(1));
    const op = await waitUntilFinished(it, 'nodeop', 'running');
    expect(nodeStatuses(op)['n2']).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
    expect(counts[1]?.()).toEqual({ boots: 1, requests: 1 });
    expect(commandLog(at(1))).toEqual(['ran']);
  });

  test('keeps its status and loses its finalizer if it is finished', async () => {
    const op = await it.kubectl.waitForObject(
      ['nodeop', 'done'],
      ({ metadata }) => !(metadata?.['finalizers'] as string[] | undefined)?.includes(FINALIZER),
    );
    expect(op.status).toEqual(before);
  });

  test('is deleted if its deletion was pending', async () => {
    await expectDeleted(it, 'deleted');
    expect(await it.kubectl.getJson('nodeop', 'deleted')).toBeUndefined();
  });

  test('leaves no node cordoned and no finalizer behind', async () => {
    await expectClean(it, 'n1', 'n2', 'n3');
    await expectNodesReleased(it);
    const withFinalizers = (await it.kubectl.getJson('nodeops'))?.items?.filter(
      op => op.metadata?.['finalizers'] !== undefined,
    );
    expect(withFinalizers).toEqual([]);
    await it.kubectl.do(['delete', '-f', MIGRATION_RBAC]);
    await it.kubectl.do(['delete', ...LEGACY_DEPLOYMENT]);
  });
});
