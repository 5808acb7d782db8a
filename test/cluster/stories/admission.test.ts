/** What the admission of a company adds to the Pods of an operation, and what it refuses. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Machine } from '../machine.js';
import { Registry } from '../registry.js';
import { waitFor } from '../wait.js';
import { appendToLog, commandLog, letContinue, resetCommandLogs, WAIT_TO_CONTINUE } from './command-log.js';
import { Injector, SIDECAR } from './injector.js';
import { PULL_SECRET, pushRelease } from './kairos-releases.js';
import { machinesWithoutController, countPowerEvents, eventMessages, expectClean, onNode } from './node-state.js';
import { jobsOf, nodeOpOf, nodeStatuses, type Operator, setUpOperator, waitUntilFinished } from './operator.js';
import { deployment } from './pods.js';
import { applyQuota, memoryRange, namespace, operationIn, policyAgainstJobs } from './policies.js';

jest.setTimeout(600_000);

const LIMITED = 'limited';
const CROWDED = 'crowded';
const NO_JOBS = 'no-jobs';
const NO_PODS = 'no-pods';
const POLICED = 'policed';
const NAMESPACES = [LIMITED, CROWDED, NO_JOBS, NO_PODS, POLICED];

let operator: Operator;
/** Two machines without the controller, so that it observes their reboots. */
let first: Machine;
let second: Machine;
beforeAll(async () => {
  operator = await setUpOperator(3);
  [first, second] = (await machinesWithoutController(operator)) as [Machine, Machine];
  await operator.kubectl.apply(NAMESPACES.map(namespace));
});
afterAll(async () => {
  await operator?.kubectl.do(['delete', 'namespace', ...NAMESPACES, '--ignore-not-found', '--wait=false']);
});

const shell = (script: string) => ['sh', '-c', script];

/** Uids of the pods of a Deployment, to prove that they were not disturbed. */
async function uidsOf(app: string): Promise<unknown[]> {
  const pods = (await operator.kubectl.getJson('pods', '-l', `app=${app}`))?.items ?? [];
  return pods.map(pod => pod.metadata?.['uid']);
}

async function runWorkload(app: string, machine: Machine): Promise<unknown[]> {
  await operator.kubectl.apply(deployment({ name: app, node: machine.name }));
  await operator.kubectl.do(['rollout', 'status', `deployment/${app}`, '--timeout=60s']);
  return await uidsOf(app);
}

describe('where a webhook adds a sidecar and an init container to every Pod', () => {
  let injector: Injector;
  beforeAll(async () => {
    injector = await Injector.start(operator.kubectl, 'default', name => (name === 'native' ? 'native' : 'sidecar'));
  });
  afterAll(async () => await injector?.stop());
  const note = new RegExp(`something added container ${SIDECAR} to the Pod of the Job`);

  test('a preflight that exits 3 fails its node, which is neither cordoned nor reboots, and its Pod ends', async () => {
    resetCommandLogs(operator);
    const power = countPowerEvents(first);
    const preflight = { command: shell('sleep 1; exit 3') };
    const spec = { ...onNode(first.name), command: shell(appendToLog('ran')), cordon: true, rebootOnSuccess: true };
    await operator.kubectl.apply(nodeOpOf('refusing', { ...spec, preflight }));
    const op = await waitUntilFinished(operator, 'nodeop', 'refusing', 60);
    expect(nodeStatuses(op)[first.name]).toMatchObject({ phase: 'Failed', reason: 'PreflightFailed', exitCode: 3 });
    expect(await operator.kubectl.do(['get', 'nodeop', 'refusing'])).toMatch(/Failed .*Preflight failed.*exit code 3/);
    expect(injector.injected.get('refusing')).toBe(1);
    expect(await eventMessages(operator, 'refusing', 'Cordoned')).toEqual([]);
    expect([commandLog(first), power()]).toEqual([[], { boots: 0, requests: 0 }]);
    const { pods } = operationIn(operator, 'default', 'refusing');
    await waitFor(async () => (await pods()).length === 0, { what: 'the preflight Pod to end', seconds: 30 });
    await expectClean(operator, first.name);
  });

  test('operations with a sidecar and with a native one run their command once and reboot their node once', async () => {
    resetCommandLogs(operator);
    const cases = [
      { name: 'sidecar', machine: first, message: note, power: countPowerEvents(first) },
      {
        name: 'native',
        machine: second,
        message: /^Job and reboot completed successfully/,
        power: countPowerEvents(second),
      },
    ];
    const [command, preflight] = [shell(`sleep 1; ${appendToLog('ran')}`), { command: shell('sleep 1') }];
    const spec = { command, preflight, cordon: true, rebootOnSuccess: true };
    await operator.kubectl.apply(
      cases.map(({ name, machine }) => nodeOpOf(name, { ...spec, ...onNode(machine.name) })),
    );
    for (const { name, machine, message, power } of cases) {
      const op = await waitUntilFinished(operator, 'nodeop', name, 120);
      expect(nodeStatuses(op)[machine.name]).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
      expect(nodeStatuses(op)[machine.name]?.message).toMatch(message);
      expect(injector.injected.get(name)).toBeGreaterThanOrEqual(2);
      expect([commandLog(machine), power()]).toEqual([['ran'], { boots: 1, requests: 1 }]);
      expect(await jobsOf(operator, name)).toHaveLength(1);
      await expectClean(operator, machine.name);
    }
  });

  test('a command that fails beside a sidecar is repeated up to backoffLimit, with its exit code in the status', async () => {
    resetCommandLogs(operator);
    const command = shell(`${appendToLog('ran')}; echo no such disk; exit 4`);
    await operator.kubectl.apply(
      nodeOpOf('broken', { ...onNode(second.name), command, cordon: true, backoffLimit: 1 }),
    );
    const op = await waitUntilFinished(operator, 'nodeop', 'broken', 90);
    expect(nodeStatuses(op)[second.name]).toMatchObject({
      phase: 'Failed',
      reason: 'JobFailed',
      exitCode: 4,
      log: 'no such disk',
    });
    expect(commandLog(second)).toEqual(['ran', 'ran']);
    // The node stays cordoned for inspection until the operation is deleted.
    await operator.kubectl.do(['delete', 'nodeop', 'broken']);
    await expectClean(operator, second.name);
  });
});

describe('in a namespace with a LimitRange and a ResourceQuota', () => {
  let registry: Registry;
  beforeAll(async () => {
    registry = await Registry.start(operator.cluster);
  });
  afterAll(async () => await registry?.stop());

  test('preflight, pull, command and sentinel run within the limits, and the node reboots', async () => {
    resetCommandLogs(operator);
    await operator.kubectl.apply([memoryRange(LIMITED), withNamespace(registry.secret(PULL_SECRET), LIMITED)]);
    await applyQuota(operator, LIMITED, { 'limits.memory': '1Gi', 'requests.memory': '1Gi' });
    // A Node still lists for a while an image of an earlier run that was removed from it.
    const image = `tool:${Date.now()}`;
    await pushRelease(registry, image, { base: operator.nextImage, version: 'v3.6.0' });
    const power = countPowerEvents(first);
    const limited = operationIn(operator, LIMITED, 'limited');
    await limited.apply({
      ...onNode(first.name),
      image: registry.ref(image),
      imagePullSecrets: [{ name: PULL_SECRET }],
      command: shell(appendToLog('ran')),
      preflight: { command: ['true'], image: 'localhost/busybox:1' },
      cordon: true,
      rebootOnSuccess: true,
    });
    const op = await limited.end(120);
    expect(op.status?.['phase']).toBe('Completed');
    const { stepTimes = {} } = nodeStatuses(op)[first.name] ?? {};
    expect(Object.keys(stepTimes)).toEqual(expect.arrayContaining(['Preflight', 'Pull', 'Run', 'Reboot']));
    const [pod] = await limited.pods();
    expect(JSON.stringify(pod?.spec)).toContain('"limits":{"memory":"160Mi"}');
    expect([commandLog(first), power()]).toEqual([['ran'], { boots: 1, requests: 1 }]);
    await expectClean(operator, first.name);
  });

  test('an operation whose Pod the quota refuses waits with the words of the API server, its node untouched, and continues when the quota is raised', async () => {
    resetCommandLogs(operator);
    const uids = await runWorkload('tenant', second);
    await applyQuota(operator, CROWDED, { pods: '0' });
    const crowded = operationIn(operator, CROWDED, 'crowded');
    const drainOptions = { enabled: true };
    await crowded.apply({ ...onNode(second.name), command: shell(appendToLog('ran')), cordon: true, drainOptions });
    const entry = await crowded.waitForNode(second.name, ({ reason }) => reason === 'PodRefused');
    expect(entry?.message).toMatch(/^the Pod of the Job would be refused: .*exceeded quota: company.*limited: pods=0/);
    expect(await crowded.table()).toMatch(/crowded +Pending +0\/1 .*exceeded quota: company/);
    expect(await uidsOf('tenant')).toEqual(uids);
    expect(await operator.kubectl.getJson('jobs', '-n', CROWDED)).toBeUndefined();
    await expectClean(operator, second.name);
    await applyQuota(operator, CROWDED, { pods: '10' });
    expect((await crowded.end(120)).status?.['phase']).toBe('Completed');
    expect(commandLog(second)).toEqual(['ran']);
    await expectClean(operator, second.name);
  });

  test('a quota that comes after the check fails the node with the words of the API server: uncordoned if the Job never existed, cordoned if only its Pod was refused', async () => {
    resetCommandLogs(operator);
    const [withoutJob, withoutPod] = [
      operationIn(operator, NO_JOBS, 'without-job'),
      operationIn(operator, NO_PODS, 'without-pod'),
    ];
    const preflight = { command: shell(WAIT_TO_CONTINUE) };
    const spec = { command: shell(appendToLog('ran')), preflight, cordon: true, startDeadlineSeconds: 12 };
    await withoutJob.apply({ ...spec, ...onNode(first.name) });
    await withoutPod.apply({ ...spec, ...onNode(second.name) });
    await withoutJob.waitForNode(first.name, ({ phase }) => phase === 'Preflight');
    await withoutPod.waitForNode(second.name, ({ phase }) => phase === 'Preflight');
    await applyQuota(operator, NO_JOBS, { 'count/jobs.batch': '0' });
    await applyQuota(operator, NO_PODS, { pods: '0' });
    letContinue(first, second);
    const [job, pod] = [(await withoutJob.end(90)).status, (await withoutPod.end(90)).status];
    expect(nodeStatuses({ status: job })[first.name]).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(nodeStatuses({ status: pod })[second.name]).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(await withoutJob.table()).toMatch(/exceeded quota: company, requested: count\/jobs.batch=1/);
    expect(await withoutPod.table()).toMatch(/no Pod was created for the Job within 12 s: .*exceeded quota: company/);
    expect([commandLog(first), commandLog(second)]).toEqual([[], []]);
    await expectClean(operator, first.name);
    expect((await operator.kubectl.getJson('node', second.name))?.spec).toMatchObject({ unschedulable: true });
    await operator.kubectl.do(['delete', 'nodeop', 'without-pod', '-n', NO_PODS]);
    await expectClean(operator, second.name);
  });
});

test('a policy that refuses Jobs fails the operation before the drain, with its message, and the node stays schedulable', async () => {
  resetCommandLogs(operator);
  const uids = await runWorkload('bystander', first);
  const policy = policyAgainstJobs(POLICED, 'Jobs need a cost centre');
  await operator.kubectl.apply(policy);
  const policed = operationIn(operator, POLICED, 'policed');
  try {
    const spec = { command: shell(appendToLog('ran')), cordon: true, startDeadlineSeconds: 10 };
    await waitUntilJobsAreRefused();
    await policed.apply({ ...spec, ...onNode(first.name), drainOptions: { enabled: true } });
    const op = await policed.end();
    expect(nodeStatuses(op)[first.name]).toMatchObject({ phase: 'Failed', reason: 'PodRefused' });
    expect(await policed.table()).toMatch(/for 10 s, the Pod of the Job would be refused: .*Jobs need a cost centre/);
  } finally {
    await operator.kubectl.do(['delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', 'no-jobs']);
  }
  expect(await uidsOf('bystander')).toEqual(uids);
  expect(await operator.kubectl.do(['get', 'events', '-n', POLICED])).not.toMatch(/Cordoned|Draining/);
  expect([commandLog(first), (await policed.pods()).length]).toEqual([[], 0]);
  await expectClean(operator, first.name);
});

/** A new policy is enforced with some delay. */
async function waitUntilJobsAreRefused(): Promise<void> {
  const job = ['create', 'job', 'probe', '-n', POLICED, '--image=localhost/busybox:1', '--dry-run=server'];
  const isRefused = async () => (await operator.kubectl.try(job)).stderr.includes('cost centre');
  await waitFor(isRefused, { what: 'the policy to be enforced', seconds: 30, everyMs: 250 });
}

const withNamespace = (object: object, name: string): object => ({
  ...object,
  metadata: { ...(object as { metadata: object }).metadata, namespace: name },
});
