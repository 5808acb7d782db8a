/** Nodes without room: the kubelet admits no further Pod, or the disk that keeps the state of the agent is full. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Json } from '../kubectl.js';
import type { Machine } from '../machine.js';
import { Registry } from '../registry.js';
import { waitFor } from '../wait.js';
import { appendToLog, commandLog, resetCommandLogs } from './command-log.js';
import { PULL_SECRET, pushRelease } from './kairos-releases.js';
import {
  machinesWithoutController,
  countPowerEvents,
  eventMessages,
  expectClean,
  onNode,
  waitForNodeStatus,
} from './node-state.js';
import { jobsOf, nodeOpOf, nodeStatuses, type Operator, setUpOperator, waitUntilFinished } from './operator.js';
import { deployment } from './pods.js';

jest.setTimeout(600_000);

let operator: Operator;
let crowded: Machine;
let full: Machine;
beforeAll(async () => {
  operator = await setUpOperator(3);
  [crowded, full] = (await machinesWithoutController(operator)) as [Machine, Machine];
});

const listPods = async (...query: string[]): Promise<Json[]> =>
  (await operator.kubectl.getJson('pods', ...query))?.items ?? [];

describe('on a node that has room for no further Pod', () => {
  let registry: Registry;
  beforeAll(async () => {
    resetCommandLogs(operator);
    registry = await Registry.start(operator.cluster);
    await operator.kubectl.apply(registry.secret(PULL_SECRET));
  });
  afterAll(async () => {
    await setMaxPods(60);
    await registry?.stop();
    await operator.kubectl.do(['delete', 'deployment', 'tenant-a', 'tenant-b', '--ignore-not-found']);
  });

  /** Restarts the kubelet with that limit, and waits until the Node has it. */
  async function setMaxPods(count: number): Promise<void> {
    await crowded.exec('sed', '-i', `s/^maxPods: .*/maxPods: ${count}/`, '/etc/kubernetes/kubelet.yaml');
    await crowded.exec('systemctl', 'restart', 'kubelet');
    const hasLimit = ({ status }: Json) =>
      (status?.['allocatable'] as { pods?: string } | undefined)?.pods === String(count);
    await operator.kubectl.waitForObject(['node', crowded.name], hasLimit, 60);
    await operator.cluster.waitReady(crowded.name);
  }

  /** Uid, phase and restarts of the pods of the Deployments, which show whether anything ended them. */
  const tenants = async () =>
    (await listPods('-l', 'app in (tenant-a, tenant-b)')).map(({ metadata, status }) => [
      metadata?.['uid'],
      status?.['phase'],
      (status?.['containerStatuses'] as { restartCount: number }[] | undefined)?.[0]?.restartCount,
    ]);

  test('preflight and pull wait and end no workload; when there is room they run, and the Job runs after the drain', async () => {
    const isThere = ({ status }: Json) => status?.['phase'] === 'Running' || status?.['phase'] === 'Pending';
    const present = (await listPods('-A', `--field-selector=spec.nodeName=${crowded.name}`)).filter(isThere).length;
    await setMaxPods(present + 2);
    await operator.kubectl.apply(['tenant-a', 'tenant-b'].map(name => deployment({ name, node: crowded.name })));
    for (const name of ['tenant-a', 'tenant-b'])
      await operator.kubectl.do(['rollout', 'status', `deployment/${name}`, '--timeout=60s']);
    const before = await tenants();
    expect(before).toHaveLength(2);

    const image = `tool:${Date.now()}`;
    await pushRelease(registry, image, { base: operator.nextImage, version: 'v3.6.0' });
    await operator.kubectl.apply(
      nodeOpOf('crowded', {
        ...onNode(crowded.name),
        image: registry.ref(image),
        imagePullSecrets: [{ name: PULL_SECRET }],
        command: ['sh', '-c', appendToLog('ran')],
        preflight: { command: ['true'], image: 'localhost/busybox:1' },
        cordon: true,
        drainOptions: { enabled: true },
        startDeadlineSeconds: 90,
      }),
    );
    const isRejected = ({ message = '' }: { message?: string }) => message.includes('OutOfpods');
    const seen = await waitForNodeStatus(operator, ['nodeop', 'crowded', crowded.name], isRejected, 60);
    expect(nodeStatuses(seen)[crowded.name]).toMatchObject({ phase: 'Preflight', step: 'Preflight' });
    expect(await operator.kubectl.do(['get', 'nodeop', 'crowded'])).toMatch(/Preflight in progress: .*OutOfpods/);
    expect(await tenants()).toEqual(before);
    expect(await eventMessages(operator, 'crowded', 'Cordoned')).toEqual([]);

    await operator.kubectl.do(['scale', 'deployment/tenant-b', '--replicas=0']);
    const op = await waitUntilFinished(operator, 'nodeop', 'crowded', 120);
    expect(op.status?.['phase']).toBe('Completed');
    expect(Object.keys(nodeStatuses(op)[crowded.name]?.stepTimes ?? {})).toEqual(
      expect.arrayContaining(['Preflight', 'Pull', 'Drain', 'Run']),
    );
    expect(commandLog(crowded)).toEqual(['ran']);
    await operator.kubectl.do(['rollout', 'status', 'deployment/tenant-a', '--timeout=60s']);
    await expectClean(operator, crowded.name);
  });
});

describe('on a node with a small /usr/local', () => {
  const FILL = 'dd if=/dev/zero of=/usr/local/filler bs=4k 2>/dev/null';
  const node = () => ['nodeagent', full.name];

  beforeAll(async () => {
    resetCommandLogs(operator);
    await full.exec('mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', '/usr/local');
    const agents = ['-n', 'operator-system', '-l', 'app.kubernetes.io/component=agent'];
    await operator.kubectl.do(['delete', 'pod', ...agents, `--field-selector=spec.nodeName=${full.name}`]);
    await operator.kubectl.do([
      'rollout',
      'status',
      'daemonset/operator-agent',
      '-n',
      'operator-system',
      '--timeout=90s',
    ]);
    await waitFor(async () => (await full.exec('test', '-d', '/usr/local/.kairos')).code === 0, {
      what: 'the agent to use the new disk',
      seconds: 60,
    });
  });
  afterAll(async () => {
    const before = full.bootId();
    await full.softReboot();
    await operator.cluster.waitReady(full.name, { not: before });
  });

  const opOf = (name: string, script: string) =>
    nodeOpOf(name, {
      ...onNode(full.name),
      command: ['sh', '-c', script],
      cordon: true,
      rebootOnSuccess: true,
    });

  test('an operation with a reboot fails with StateDirNotWritable before anything is touched when the disk is full', async () => {
    const power = countPowerEvents(full);
    await full.exec('sh', '-c', FILL);
    await operator.kubectl.apply(opOf('no-room', appendToLog('ran')));
    const op = await waitUntilFinished(operator, 'nodeop', 'no-room', 90);
    expect(nodeStatuses(op)[full.name]).toMatchObject({ phase: 'Failed', reason: 'StateDirNotWritable' });
    expect(await operator.kubectl.do(['get', 'nodeop', 'no-room'])).toMatch(
      new RegExp(`Failed .*the agent of node ${full.name} cannot write to /usr/local/.kairos: .*ENOSPC`),
    );
    expect((await operator.kubectl.getJson(...node()))?.status?.['stateDirError']).toMatch(/ENOSPC/);
    expect(await eventMessages(operator, 'no-room', 'Cordoned')).toEqual([]);
    expect([commandLog(full), power()]).toEqual([[], { boots: 0, requests: 0 }]);
    expect(await jobsOf(operator, 'no-room')).toEqual([]);
    await expectClean(operator, full.name);
  });

  test('a command that fills the disk is not repeated: the sentinel fails with the cause, and the node stays cordoned without a reboot', async () => {
    const power = countPowerEvents(full);
    await full.exec('rm', '/usr/local/filler');
    const isWritable = ({ status }: Json) => status?.['stateDirError'] === undefined;
    await operator.kubectl.waitForObject(node(), isWritable, 60);
    const fill = FILL.replace('of=', 'of=$HOST_DIR');
    await operator.kubectl.apply(opOf('fills', `${fill}; ${appendToLog('ran')}`));
    const op = await waitUntilFinished(operator, 'nodeop', 'fills', 90);
    expect(nodeStatuses(op)[full.name]).toMatchObject({
      phase: 'Failed',
      reason: 'SentinelFailed',
      rebootStatus: 'cancelled',
    });
    expect(await operator.kubectl.do(['get', 'nodeop', 'fills'])).toMatch(
      /the command succeeded, but that could not be recorded on the node: .*(ENOSPC|no space)/,
    );
    expect([commandLog(full), power()]).toEqual([['ran'], { boots: 0, requests: 0 }]);
    expect(await jobsOf(operator, 'fills')).toHaveLength(1);
    expect((await operator.kubectl.getJson('node', full.name))?.spec).toMatchObject({ unschedulable: true });
    await operator.kubectl.do(['delete', 'nodeop', 'fills']);
    await expectClean(operator, full.name);
  });
});
