/** Upgrades that meet another upgrade, a workload that does not leave, an old release, and control planes whose static pods are not Ready. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Image, kairosImage } from '../images.js';
import type { Json } from '../kubectl.js';
import type { Machine } from '../machine.js';
import { waitFor } from '../wait.js';
import { appendToLog, commandLog, resetCommandLogs } from './command-log.js';
import { countBoots, SOFTWARE, versionTriple } from './kairos-releases.js';
import {
  machinesWithoutController,
  countPowerEvents,
  eventMessages,
  expectClean,
  onNode,
  waitForNodeStatus,
} from './node-state.js';
import {
  expectNodesReleased,
  listNodes,
  nodeOpOf,
  nodeStatuses,
  type Operator,
  setUpOperator,
  standInImage,
  upgradeOf,
  waitUntilFinished,
} from './operator.js';
import { deployment, staticPod } from './pods.js';

jest.setTimeout(600_000);

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';
let operator: Operator;
let newest: Image;
let old: Image;
/** Two machines without the controller, in the order in which an operation takes them. */
let first: Machine;
let second: Machine;
beforeAll(async () => {
  newest = await standInImage('v3.7.0');
  const version = { version: 'v3.2.1', softwareVersion: SOFTWARE, inOsRelease: true };
  old = await kairosImage({ ...version, ref: 'localhost/kairos:v3.2.1' });
  operator = await setUpOperator(3, [newest, old]);
  [first, second] = (await machinesWithoutController(operator)) as [Machine, Machine];
});
afterAll(async () => await operator?.cluster.resetNodes({ version: 'v3.5.0', softwareVersion: SOFTWARE }));

/** Returns a function with the versions that upgrades have installed on a machine since this call. */
async function upgradesOf(machine: Machine): Promise<() => Promise<string[]>> {
  const read = async () => {
    const { stdout } = await machine.exec('cat', '/run/initramfs/cos-state/upgrades.log');
    return stdout.split('\n').filter(line => line !== '');
  };
  const before = (await read()).length;
  return async () => (await read()).slice(before).map(line => line.split(' ').slice(1).join(' '));
}

test('of two upgrades that are applied one after the other, the second waits for the first on every node, and all nodes end on the second', async () => {
  const boots = countBoots(operator);
  const installed = await Promise.all(operator.machines.map(upgradesOf));
  await operator.kubectl.apply(upgradeOf('to-6', operator.nextImage.ref));
  const hasStarted = ({ startedAt }: { startedAt?: string }) => startedAt !== undefined;
  await waitForNodeStatus(operator, ['nodeopupgrade', 'to-6', 'n1'], hasStarted, 90);
  await operator.kubectl.apply(upgradeOf('to-7', newest.ref, { concurrency: 2 }));
  const isWaiting = (upgrade: Json) =>
    Object.values(nodeStatuses(upgrade)).filter(({ reason }) => reason === 'WaitingForOperation').length >= 2;
  const seen = await operator.kubectl.waitForObject(['nodeopupgrade', 'to-7'], isWaiting, 60);
  for (const entry of Object.values(nodeStatuses(seen)).filter(({ reason }) => reason === 'WaitingForOperation'))
    expect(entry.message).toMatch(/^waiting for operation default\/to-6(, which was created earlier)?$/);
  expect(await operator.kubectl.do(['get', 'nodeopupgrades'])).toMatch(/to-7 .*waiting for operation default\/to-6/);
  const ends = [
    await waitUntilFinished(operator, 'nodeopupgrade', 'to-6', 240),
    await waitUntilFinished(operator, 'nodeopupgrade', 'to-7', 240),
  ];
  expect(ends.map(({ status }) => [status?.['phase'], status?.['progress']])).toEqual([
    ['Completed', '3/3'],
    ['Completed', '3/3'],
  ]);
  for (const versions of installed) expect(await versions()).toEqual(['active v3.6.0', 'active v3.7.0']);
  for (const node of await listNodes(operator))
    expect(node.metadata?.annotations?.['kairos.io/version']).toBe('v3.7.0');
  expect(boots()).toEqual([2, 2, 2]);
  await expectNodesReleased(operator);
  await expectClean(operator, ...operator.machines.map(({ name }) => name));
});

test('a node whose Deployment tolerates every taint is upgraded, and the pod that comes back is named', async () => {
  const power = countPowerEvents(first);
  const installed = await upgradesOf(first);
  await operator.kubectl.apply(deployment({ name: 'sticky', node: first.name, toleratesAll: true }));
  await operator.kubectl.do(['rollout', 'status', 'deployment/sticky', '--timeout=60s']);
  const pods = async () => (await operator.kubectl.getJson('pods', '-l', 'app=sticky'))?.items ?? [];
  const before = (await pods()).map(pod => pod.metadata?.name);
  await operator.kubectl.apply(upgradeOf('sticky', newest.ref, { force: true, ...onNode(first.name) }));
  const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'sticky', 120);
  expect(nodeStatuses(upgrade)[first.name]).toMatchObject({ phase: 'Completed', rebootStatus: 'completed' });
  expect([await installed(), power()]).toEqual([['active v3.7.0'], { boots: 1, requests: 1 }]);
  await operator.kubectl.do(['rollout', 'status', 'deployment/sticky', '--timeout=60s']);
  const after = (await pods()).map(pod => pod.metadata?.name);
  expect(after).toHaveLength(1);
  expect(after).not.toEqual(before);
  const named = `default/${after[0]} recreated on this node by ReplicaSet`;
  expect(await eventMessages(operator, 'sticky', 'PodsStay')).toEqual([expect.stringContaining(named)]);
  await expectClean(operator, first.name);
  await operator.kubectl.do(['delete', 'deployment', 'sticky']);
});

test('a node with its release in /etc/os-release only is labeled, and upgraded to an image of the same kind', async () => {
  await operator.cluster.resetNodes({ version: 'v3.1.3', softwareVersion: SOFTWARE, inOsRelease: true }, [second.name]);
  expect((await second.exec('cat', '/etc/kairos-release')).code).not.toBe(0);
  expect(await second.readFile('/etc/os-release')).toMatch(/^ID="ubuntu"$/m);
  const labels = async () => (await operator.kubectl.getJson('node', second.name))?.metadata?.labels ?? {};
  const reports = ['wait', '--for=jsonpath={.status.release.version}=v3.1.3', `nodeagent/${second.name}`];
  await operator.kubectl.do([...reports, '--timeout=60s']);
  const power = countPowerEvents(second);
  const image = old.ref;
  await operator.kubectl.apply(upgradeOf('old-kind', image, { nodeSelector: hostname(second) }));
  const upgrade = await waitUntilFinished(operator, 'nodeopupgrade', 'old-kind', 120);
  expect(upgrade.status).toMatchObject({ phase: 'Completed', target: { version: versionTriple('v3.2.1') } });
  expect(power()).toEqual({ boots: 1, requests: 1 });
  expect(await operator.kubectl.do(['get', 'nodeopupgrade', 'old-kind'])).toMatch(/Completed +1\/1 +0 +v3\.2\.1/);
  expect(await labels()).toMatchObject({
    'kairos.io/managed': 'true',
    'kairos.io/flavor': 'ubuntu',
    'kairos.io/boot-state': 'active',
  });
  expect((await operator.kubectl.getJson('node', second.name))?.metadata?.annotations).toMatchObject({
    'kairos.io/version': 'v3.2.1',
  });
  await expectClean(operator, second.name);
});

const hostname = ({ name }: Machine) => ({
  matchLabels: { 'kubernetes.io/hostname': name, 'kairos.io/managed': 'true' },
});

describe('control planes with a static pod that is not Ready', () => {
  const READY_FILE = 'etcd-ready';
  const MANIFEST = '/etc/kubernetes/manifests/etcd.json';
  const mirror = () => `etcd-${first.name}`;
  const setReady = (ready: boolean) => first.exec(ready ? 'touch' : 'rm', `/run/node/${READY_FILE}`);
  const waitForMirror = (ready: boolean) =>
    operator.kubectl.do([
      ...['wait', `--for=condition=Ready=${ready}`, 'pod', mirror(), '-n', 'kube-system', '--timeout=60s'],
    ]);
  let wereControlPlanes: string[];

  beforeAll(async () => {
    const nodes = await listNodes(operator);
    wereControlPlanes = nodes
      .filter(({ metadata }) => metadata?.labels?.[CONTROL_PLANE] !== undefined)
      .map(({ metadata }) => String(metadata?.name));
    await operator.kubectl.do(['label', 'node', first.name, second.name, `${CONTROL_PLANE}=`, '--overwrite']);
    await setReady(true);
    await first.writeFile(MANIFEST, JSON.stringify(staticPod('etcd', READY_FILE)));
    const exists = async () => (await operator.kubectl.getJson('pod', mirror(), '-n', 'kube-system')) !== undefined;
    await waitFor(exists, { what: 'the mirror pod', seconds: 60 });
    await waitForMirror(true);
    resetCommandLogs(operator);
  });
  afterAll(async () => {
    await first.exec('rm', '-f', MANIFEST);
    for (const { name } of [first, second].filter(machine => !wereControlPlanes.includes(machine.name)))
      await operator.kubectl.do(['label', 'node', name, `${CONTROL_PLANE}-`]);
  });

  test('go down one after the other: the second waits until the static pod of the first is Ready after the reboot', async () => {
    const [powerOfFirst, powerOfSecond] = [countPowerEvents(first), countPowerEvents(second)];
    const spec = { command: ['sh', '-c', appendToLog('ran')], cordon: true, rebootOnSuccess: true, concurrency: 0 };
    await operator.kubectl.apply(nodeOpOf('planes', { ...onNode(first.name, second.name), ...spec }));
    const message = `waiting for static pod kube-system/${mirror()}`;
    const isHeld = ({ message: text }: { message?: string }) => text === message;
    const seen = await waitForNodeStatus(operator, ['nodeop', 'planes', first.name], isHeld, 90);
    expect(nodeStatuses(seen)[first.name]).toMatchObject({ step: 'Verify', reason: 'Settling' });
    expect(nodeStatuses(seen)[second.name]).toMatchObject({ phase: 'Pending', reason: 'WaitingForTurn' });
    expect(await operator.kubectl.do(['get', 'nodeop', 'planes'])).toContain(`${first.name}: ${message}`);
    expect(powerOfFirst()).toEqual({ boots: 1, requests: 1 });
    expect([powerOfSecond(), commandLog(second)]).toEqual([{ boots: 0, requests: 0 }, []]);
    await setReady(true);
    const op = await waitUntilFinished(operator, 'nodeop', 'planes', 120);
    expect(op.status).toMatchObject({ phase: 'Completed', nodes: { completed: 2 } });
    expect([powerOfFirst(), powerOfSecond()]).toEqual([
      { boots: 1, requests: 1 },
      { boots: 1, requests: 1 },
    ]);
    await expectClean(operator, first.name, second.name);
  });

  test('hold an operation on another control plane, which names the static pod and continues when it is Ready', async () => {
    resetCommandLogs(operator);
    await setReady(false);
    await waitForMirror(false);
    const spec = { command: ['sh', '-c', appendToLog('ran')], cordon: true };
    await operator.kubectl.apply(nodeOpOf('next-plane', { ...onNode(second.name), ...spec }));
    const isHeld = ({ reason }: { reason?: string }) => reason === 'ControlPlaneNotReady';
    const seen = await waitForNodeStatus(operator, ['nodeop', 'next-plane', second.name], isHeld);
    const message = `waiting for static pod kube-system/${mirror()} of control plane ${first.name} to be Ready`;
    expect(nodeStatuses(seen)[second.name]).toMatchObject({ phase: 'Pending', message });
    expect(await operator.kubectl.do(['get', 'nodeop', 'next-plane'])).toContain(`${second.name}: ${message}`);
    expect(await eventMessages(operator, 'next-plane', 'Cordoned')).toEqual([]);
    expect(commandLog(second)).toEqual([]);
    await setReady(true);
    expect((await waitUntilFinished(operator, 'nodeop', 'next-plane', 60)).status?.['phase']).toBe('Completed');
    expect(commandLog(second)).toEqual(['ran']);
    await expectClean(operator, second.name);
  });
});
