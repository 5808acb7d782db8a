/** What the fake kubelet and Job controller report, compared with what Kubernetes documents. */
import { describe, expect, test } from '@jest/globals';
import { DAEMONSETS, JOBS, NODES, PODS } from '../../../kube/resources.js';
import type { FakeCluster } from './cluster.js';
import { ENDINGS, REJECTIONS } from './kubelet-admission.js';
import type { JobObject, NodeObject, PodObject } from './object-types.js';
import {
  AT,
  byName,
  cluster,
  container,
  createPod,
  IMAGE,
  initStatuses,
  job,
  podIn,
  statuses,
  work,
} from './pods-setup.js';

describe('the statuses of a Pod with several containers', () => {
  test('are sorted by name for containers and in the order of the spec for init containers', async () => {
    const it = cluster({ behavior: byName });
    createPod(it, {
      initContainers: [container('for-9'), container('for-1')],
      containers: [container('z'), container('a')],
    });
    await it.runFor(5);
    expect(initStatuses(podIn(it))).toEqual(['for-9 running', 'for-1 waiting PodInitializing']);
    expect(statuses(podIn(it))).toEqual(['a waiting PodInitializing', 'z waiting PodInitializing']);
    expect(podIn(it).status.phase).toBe('Pending');
    await it.runFor(20);
    expect(statuses(podIn(it))).toEqual(['a running', 'z running']);
    expect(podIn(it).status.phase).toBe('Running');
  });

  test('show the phase Running until the last container has ended, and then Failed if any failed', async () => {
    const it = cluster({ behavior: byName });
    createPod(it, { containers: [container('fail-3'), container('for-20')] });
    await it.runFor(10);
    expect([podIn(it).status.phase, statuses(podIn(it))]).toEqual([
      'Running',
      ['fail-3 terminated 3', 'for-20 running'],
    ]);
    await it.runFor(20);
    expect(podIn(it).status.phase).toBe('Failed');
  });

  test('show the phase Pending while any container has not started, although another has ended', async () => {
    const images = { 'registry.example/denied:1': { error: '401 Unauthorized' } };
    const it = cluster({ behavior: byName, images });
    createPod(it, { containers: [container('for-1'), container('us', { image: 'registry.example/denied:1' })] });
    await it.runFor(30);
    expect(podIn(it).status.phase).toBe('Pending');
    expect(statuses(podIn(it))).toEqual(['for-1 terminated 0', 'us waiting ErrImagePull']);
  });

  test('end with the containers when an init container is restarted always', async () => {
    const it = cluster({ behavior: byName });
    createPod(it, {
      initContainers: [container('mesh', { restartPolicy: 'Always' })],
      containers: [container('for-5')],
    });
    await it.runFor(20);
    expect([podIn(it).status.phase, initStatuses(podIn(it))]).toEqual(['Succeeded', ['mesh terminated 0']]);
  });
});

describe('a container that is restarted', () => {
  test('waits in CrashLoopBackOff, twice as long each time', async () => {
    const it = cluster({ behavior: byName });
    createPod(it, { restartPolicy: 'Always', containers: [container('fail-1')] });
    await it.runFor(8);
    expect(statuses(podIn(it))).toEqual(['fail-1 waiting CrashLoopBackOff']);
    await it.runFor(60);
    const [status] = podIn(it).status.containerStatuses ?? [];
    expect([podIn(it).status.phase, status?.restartCount]).toEqual(['Running', 3]);
  });
});

test('an image that cannot be pulled is reported as ErrImagePull and ImagePullBackOff in turn', async () => {
  const it = cluster({ images: { [IMAGE]: { error: 'manifest unknown', backsOff: true, errorUntilSeconds: 100 } } });
  createPod(it, { containers: [container('us')] });
  const seen = new Set<string>();
  for (let second = 0; second < 90; second += 1) {
    await it.runFor(1);
    for (const each of statuses(podIn(it)) ?? []) seen.add(each);
  }
  expect([...seen]).toEqual(['us waiting ErrImagePull', 'us waiting ImagePullBackOff']);
  await it.runFor(30);
  expect(statuses(podIn(it))).toEqual(['us running']);
});

describe('mutating admission', () => {
  test('adds a sidecar to the Pods that a Job creates, unless they opt out', async () => {
    const optOut = ['sidecar.istio.io/inject', 'false'] as const;
    const it = cluster({ sidecars: [{ name: 'istio-proxy', optOut }], behavior: byName });
    await it.start();
    for (const [name, labels] of [
      ['in', {}],
      ['out', { [optOut[0]]: optOut[1] }],
    ] as const)
      it.api.create(JOBS, job({ template: { metadata: { labels }, spec: work('for-1') } }, name), 'default');
    await it.runFor(20);
    expect(podIn(it, { name: 'in-1', namespace: 'default' }).status.phase).toBe('Running');
    expect(podIn(it, { name: 'out-1', namespace: 'default' }).status.phase).toBe('Succeeded');
  });
});

const endOf = ({ api }: FakeCluster) =>
  api
    .get<JobObject>(JOBS, { name: 'j', namespace: 'default' })
    .status?.conditions?.find(({ type }) => type === 'Failed');

test('a Job past its deadline fails by the deadline, although its Pod that is ended for it uses up the backoff limit', async () => {
  const it = cluster({ behavior: byName });
  it.api.create(
    JOBS,
    job({ backoffLimit: 0, activeDeadlineSeconds: 5, template: { spec: work('for-60') } }),
    'default',
  );
  await it.runFor(30);
  expect(endOf(it)?.reason).toBe('DeadlineExceeded');
});

describe('the podFailurePolicy of a Job', () => {
  const jobWith = (rules: object[], name: string) =>
    job({ backoffLimit: 1, podFailurePolicy: { rules }, template: { spec: work(name) } });

  test('fails it at once, with the rule in the message, for an exit code of the named container', async () => {
    const it = cluster({ behavior: byName });
    const rule = { action: 'FailJob', onExitCodes: { containerName: 'fail-3', operator: 'In', values: [3] } };
    it.api.create(JOBS, jobWith([rule], 'fail-3'), 'default');
    await it.runFor(60);
    expect(endOf(it)).toMatchObject({
      reason: 'PodFailurePolicy',
      message: 'Container fail-3 for pod default/j-1 failed with exit code 3 matching FailJob rule at index 0',
    });
  });

  test('does not count Pods that were disrupted, and creates the next one', async () => {
    const it = cluster({ behavior: byName });
    const rule = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] };
    it.api.create(JOBS, jobWith([rule], 'for-30'), 'default');
    for (let times = 0; times < 3; times += 1) {
      await it.runFor(50);
      it.kubelet('n1').endPods(ENDINGS.Evicted);
    }
    await it.runFor(200);
    expect(endOf(it)).toBeUndefined();
    expect(it.api.all<JobObject>(JOBS)[0]?.status).toMatchObject({ failed: 0, succeeded: 1 });
  });
});

describe('a kubelet', () => {
  test('that rejects a Pod leaves it Failed with a reason and without container statuses', async () => {
    const it = cluster({ rejects: () => REJECTIONS.OutOfcpu });
    createPod(it, { containers: [container('us')] });
    await it.runFor(5);
    expect(podIn(it).status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' });
    expect(podIn(it).status.containerStatuses).toBeUndefined();
  });

  test('rejects a Pod whose node selector does not match the labels of its node', async () => {
    const it = cluster();
    createPod(it, { nodeSelector: { pool: 'gpu' }, containers: [container('us')] });
    await it.runFor(5);
    expect(podIn(it).status.reason).toBe('NodeAffinity');
  });

  test('of a full node rejects an ordinary Pod and ends another one for a critical Pod', async () => {
    const it = cluster({ nodes: [{ name: 'n1', maxPods: 1 }], workloads: [{ name: 'web', replicas: 1 }] });
    await it.runFor(10);
    createPod(it, { containers: [container('us')] });
    await it.runFor(5);
    expect(podIn(it).status.reason).toBe('OutOfpods');
    it.delete(PODS, AT);
    createPod(it, { priorityClassName: 'system-node-critical', containers: [container('us')] });
    await it.runFor(10);
    expect(it.api.all<PodObject>(PODS).map(({ status }) => status.reason ?? status.phase)).toEqual([
      'Preempting',
      'Running',
    ]);
  });

  test('that shuts down ends Pods as Terminated and rejects new ones until the next boot', async () => {
    const it = cluster({ nodes: [{ name: 'n1', gracefulShutdown: true, shutdownSeconds: 10 }] });
    createPod(it, { containers: [container('us')] });
    await it.runFor(5);
    it.machine('n1').reboot();
    await it.runFor(1);
    expect(podIn(it).status).toMatchObject({ phase: 'Failed', reason: 'Terminated' });
    expect(podIn(it).status.conditions?.map(({ type }) => type)).toContain('DisruptionTarget');
    it.delete(PODS, AT);
    createPod(it, { containers: [container('us')] });
    await it.runFor(1);
    expect(podIn(it).status.reason).toBe('NodeShutdown');
  });

  const BETWEEN = {
    initContainers: [container('for-1')],
    containers: [container('us', { image: 'registry.example/slow:1' })],
  };
  test.each([
    ['goesOn', 'Running', 'us running'],
    ['hangs', 'Pending', 'us waiting ContainerCreating'],
    ['fails', 'Failed', 'us terminated 137'],
  ] as const)(
    'after a power cut between two containers of a Pod that is never restarted: %s',
    async (afterPowerCut, phase, us) => {
      const it = cluster({
        afterPowerCut,
        behavior: byName,
        images: { 'registry.example/slow:1': { pullSeconds: 20 } },
      });
      createPod(it, BETWEEN);
      await it.runFor(10);
      it.machine('n1').powerOff();
      it.machine('n1').powerOn();
      await it.runFor(120);
      expect([podIn(it).status.phase, statuses(podIn(it))]).toEqual([phase, [us]]);
    },
  );
});

test('a DaemonSet has a Pod on the nodes that its selector and tolerations want, and removes it when a boot changes a label', async () => {
  const taint = { key: 'gpu', effect: 'NoSchedule' } as const;
  const labels = { driver: '6.1' };
  const it = cluster({
    nodes: [{ name: 'n1', labels }, { name: 'n2' }, { name: 'n3', labels, taints: [taint] }],
    daemonSets: [{ name: 'driver', nodeSelector: labels }],
  });
  await it.runFor(10);
  const places = () => it.api.all<PodObject>(PODS).map(({ spec }) => spec.nodeName);
  expect(places()).toEqual(['n1']);
  it.machine('n1').changesAtBoot = { labels: { driver: null } };
  it.machine('n1').reboot();
  await it.runFor(60);
  expect(places()).toEqual([]);
  expect(it.api.get<NodeObject>(NODES, { name: 'n1' }).metadata.labels).not.toHaveProperty('driver');
  expect(it.api.all(DAEMONSETS)).toHaveLength(1);
});

test('a static Pod is shown as a mirror Pod, is made anew when it is deleted, and is Ready late after a reboot', async () => {
  const it = cluster({ nodes: [{ name: 'n1', staticPods: [{ name: 'etcd' }] }] });
  const at = { name: 'etcd-n1', namespace: 'kube-system' };
  const ready = () => podIn(it, at).status.conditions?.find(({ type }) => type === 'Ready')?.status;
  await it.runFor(10);
  it.delete(PODS, at);
  await it.runFor(10);
  expect(ready()).toBe('True');
  it.machine('n1').changesAtBoot = { staticPods: [{ name: 'etcd', readySeconds: 60 }] };
  it.machine('n1').reboot();
  await it.runFor(60);
  expect(ready()).toBe('False');
  await it.runFor(60);
  expect(ready()).toBe('True');
});

test('a node with a wrong clock reports the times of its containers by that clock', async () => {
  const it = cluster({ nodes: [{ name: 'n1', clockOffsetSeconds: 3_600 }] });
  createPod(it, { containers: [container('us')] });
  await it.runFor(10);
  const started = podIn(it).status.containerStatuses?.[0]?.state.running?.startedAt ?? '';
  const aheadMs = Date.parse(started) - it.clock.now().getTime();
  expect(aheadMs).toBeGreaterThan(3_580_000);
});
