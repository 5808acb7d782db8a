import { describe, expect, test } from '@jest/globals';
import { podNames, classifyPods, stayingMessage } from '../../../../controller/nodeop/steps/drainable-pods.js';
import { pod, replicated, type PodTraits } from '../../../builders.js';

const OPTIONS = {
  enabled: true,
  force: false,
  ignoreDaemonSets: true,
  deleteEmptyDirData: false,
  timeoutSeconds: 300,
  onTimeout: 'Fail' as const,
};
const daemon = { owner: { kind: 'DaemonSet', uid: 'ds' } };
const API_VERSIONS: Record<string, string> = {
  Job: 'batch/v1',
  NodeOp: 'operator.kairos.io/v1alpha1',
  NodeOpUpgrade: 'operator.kairos.io/v1alpha1',
  OSArtifact: 'build.kairos.io/v1alpha2',
};
const labelled = (label: string, kind = 'ReplicaSet', apiVersion = API_VERSIONS[kind] ?? 'apps/v1'): PodTraits => ({
  owner: { kind, uid: 'owner', apiVersion },
  labels: { [label]: 'x' },
});

const own = { 'app.kubernetes.io/name': 'kairos-operator' };

const outcome = (
  traits: PodTraits,
  options: Partial<typeof OPTIONS> = {},
  replacements: ReadonlySet<string> = new Set(),
): string => {
  const classified = classifyPods([pod('p', traits)], {
    options: { ...OPTIONS, ...options },
    ownNamespace: 'operator-system',
    replacements,
  });
  if (classified.evictable.length > 0) return 'evict';
  if (classified.blocking.length > 0) return 'refuse';
  if (classified.awaited.length > 0) return 'await';
  if (classified.recreated.length > 0) return 'recreated';
  return classified.staying[0] ? `stay: ${classified.staying[0].why}` : 'ignored';
};

describe('A drain classifies', () => {
  test.each<[string, PodTraits, Partial<typeof OPTIONS>, string]>([
    ['a pod of a ReplicaSet', replicated, {}, 'evict'],
    ['a pod of a StatefulSet', { owner: { kind: 'StatefulSet', uid: 's' } }, {}, 'evict'],
    ['a pod of a user’s Job', { owner: { kind: 'Job', uid: 'j' } }, {}, 'evict'],
    ['a pod that is still Pending', { ...replicated, phase: 'Pending' }, {}, 'evict'],
    ['a terminating pod, which the drain has to wait for', { ...replicated, terminating: true }, {}, 'evict'],
    ['a pod of a DaemonSet', daemon, {}, 'ignored'],
    ['a pod of a DaemonSet that may not be ignored', daemon, { ignoreDaemonSets: false }, 'refuse'],
    ['a pod of a DaemonSet, even with force', daemon, { force: true, deleteEmptyDirData: true }, 'ignored'],
    ['a pod of a DaemonSet with emptyDir', { ...daemon, emptyDir: true }, {}, 'ignored'],
    ['a pod without a controller', {}, {}, 'stay: it has no controller and force is false'],
    ['a pod without a controller, with force', {}, { force: true }, 'evict'],
    [
      'a pod with emptyDir',
      { ...replicated, emptyDir: true },
      {},
      'stay: it has an emptyDir volume and deleteEmptyDirData is false',
    ],
    [
      'a pod with emptyDir and deleteEmptyDirData',
      { ...replicated, emptyDir: true },
      { deleteEmptyDirData: true },
      'evict',
    ],
    [
      'a pod with emptyDir and no controller, with force alone',
      { emptyDir: true },
      { force: true },
      'stay: it has an emptyDir volume and deleteEmptyDirData is false',
    ],
    [
      'a mirror pod',
      { ...replicated, annotations: { 'kubernetes.io/config.mirror': 'x' } },
      { force: true },
      'ignored',
    ],
    ['a pod that has succeeded', { ...replicated, phase: 'Succeeded' }, {}, 'ignored'],
    ['a pod that has failed', { phase: 'Failed' }, {}, 'ignored'],
    ['a finished pod of a DaemonSet', { ...daemon, phase: 'Failed' }, { ignoreDaemonSets: false }, 'ignored'],
    ['a pod of the operator', { ...replicated, namespace: 'operator-system', labels: own }, {}, 'ignored'],
    [
      'a pod of the operator without ignoreDaemonSets',
      { ...daemon, namespace: 'operator-system', labels: own },
      { ignoreDaemonSets: false },
      'ignored',
    ],
    ['another pod in the namespace of the operator', { ...replicated, namespace: 'operator-system' }, {}, 'evict'],
    ['a pod of another namespace with the label of the operator', { ...replicated, labels: own }, {}, 'evict'],
    ['the Job of any NodeOp', labelled('kairos.io/nodeop', 'Job'), {}, 'ignored'],
    ['a helper Pod of any NodeOp', labelled('kairos.io/nodeop', 'NodeOp'), {}, 'ignored'],
    [
      'a pod without an owner and with the label of a NodeOp',
      { labels: { 'kairos.io/nodeop': 'x' } },
      {},
      'stay: it has no controller and force is false',
    ],
    [
      'a pod without an owner and with the label of a NodeOp, with force',
      { labels: { 'kairos.io/nodeop': 'x' } },
      { force: true },
      'evict',
    ],
    [
      'a pod of a Job of another API group with the label of a NodeOp',
      labelled('kairos.io/nodeop', 'Job', 'volcano.sh/v1'),
      {},
      'evict',
    ],
    [
      'a pod without an owner and with the label of a probe',
      { labels: { 'operator.kairos.io/probe': 'x' } },
      { force: true },
      'evict',
    ],
    ['a pod of a ReplicaSet with the label of a NodeOp', labelled('kairos.io/nodeop'), {}, 'evict'],
    ['a pod of a StatefulSet with the label of a NodeOp', labelled('kairos.io/nodeop', 'StatefulSet'), {}, 'evict'],
    ['a Pod that builds an image', labelled('build.kairos.io/artifact', 'OSArtifact'), {}, 'await'],
    ['a Pod that exports an image', labelled('build.kairos.io/artifact', 'Job'), {}, 'await'],
    ['a pod of a ReplicaSet with the label of an artifact', labelled('build.kairos.io/artifact'), {}, 'evict'],
    [
      'a pod without an owner and with the label of an artifact',
      { labels: { 'build.kairos.io/artifact': 'x' } },
      {},
      'stay: it has no controller and force is false',
    ],
    [
      'a finished Pod that has built an image',
      { ...labelled('build.kairos.io/artifact', 'OSArtifact'), phase: 'Succeeded' },
      {},
      'ignored',
    ],
    ['a probe of an upgrade', labelled('operator.kairos.io/probe', 'NodeOpUpgrade'), {}, 'ignored'],
    ['a pod of a ReplicaSet with the label of a probe', labelled('operator.kairos.io/probe'), {}, 'evict'],
    [
      'any pod with the label of reboot pods, which the Go operator spared',
      labelled('kairos.io/reboot'),
      { force: true },
      'ignored',
    ],
  ])('%s', (_sentence, traits, options, expected) => expect(outcome(traits, options)).toBe(expected));
});

describe('A pod that its controller put back on the node', () => {
  const back = new Set(['uid-p']);
  test('is left there', () => expect(outcome(replicated, {}, back)).toBe('recreated'));
  test('stays for the reason of the drain options, where there is one', () =>
    expect(outcome({ ...replicated, emptyDir: true }, {}, back)).toContain('emptyDir'));
  test('is ignored when it has finished', () =>
    expect(outcome({ ...replicated, phase: 'Failed' }, {}, back)).toBe('ignored'));
});

describe('The names of pods in a message', () => {
  const pods = ['a', 'b', 'c', 'd', 'e'].map(name => pod(name));
  test.each<[number, string]>([
    [0, ''],
    [1, 'default/a'],
    [3, 'default/a, default/b, default/c'],
    [5, 'default/a, default/b, default/c and 2 more'],
  ])('for %d pods', (count, text) => expect(podNames(pods.slice(0, count))).toBe(text));
});

test('Pods that stay are listed by the reason for which they stay', () => {
  const pods = [
    pod('bare'),
    pod('web', { ...replicated, emptyDir: true }),
    pod('other'),
    pod('db', { owner: { kind: 'StatefulSet', uid: 's' } }),
    pod('back', replicated),
  ];
  const replacements = new Set(['uid-db', 'uid-back']);
  expect(stayingMessage(classifyPods(pods, { options: OPTIONS, ownNamespace: 'operator-system', replacements }))).toBe(
    'default/db recreated on this node by StatefulSet; default/back recreated on this node by ReplicaSet; default/bare, default/other not evicted: it has no controller and force is false; ' +
      'default/web not evicted: it has an emptyDir volume and deleteEmptyDirData is false',
  );
});
