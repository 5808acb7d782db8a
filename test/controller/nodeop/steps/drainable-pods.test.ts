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
const labelled = (label: string): PodTraits => ({ ...replicated, labels: { [label]: 'x' } });

const fate = (traits: PodTraits, options: Partial<typeof OPTIONS> = {}): string => {
  const sorted = classifyPods([pod('p', traits)], { ...OPTIONS, ...options }, 'operator-system');
  if (sorted.evictable.length > 0) return 'evict';
  if (sorted.blocking.length > 0) return 'refuse';
  if (sorted.awaited.length > 0) return 'await';
  return sorted.staying[0] ? `stay: ${sorted.staying[0].why}` : 'passed over';
};

describe('What a drain does with', () => {
  test.each<[string, PodTraits, Partial<typeof OPTIONS>, string]>([
    ['a pod of a ReplicaSet', replicated, {}, 'evict'],
    ['a pod of a StatefulSet', { owner: { kind: 'StatefulSet', uid: 's' } }, {}, 'evict'],
    ['a pod of somebody’s Job', { owner: { kind: 'Job', uid: 'j' } }, {}, 'evict'],
    ['a pod that is still Pending', { ...replicated, phase: 'Pending' }, {}, 'evict'],
    ['a pod that is leaving: it must be gone first', { ...replicated, terminating: true }, {}, 'evict'],
    ['a pod of a DaemonSet', daemon, {}, 'passed over'],
    ['a pod of a DaemonSet that may not be ignored', daemon, { ignoreDaemonSets: false }, 'refuse'],
    ['a pod of a DaemonSet, even with force', daemon, { force: true, deleteEmptyDirData: true }, 'passed over'],
    ['a pod of a DaemonSet with emptyDir', { ...daemon, emptyDir: true }, {}, 'passed over'],
    ['a pod without a controller', {}, {}, 'stay: it has no controller and force is false'],
    ['a pod without a controller, with force', {}, { force: true }, 'evict'],
    [
      'a pod with emptyDir',
      { ...replicated, emptyDir: true },
      {},
      'stay: it has an emptyDir volume and deleteEmptyDirData is false',
    ],
    ['a pod with emptyDir that may be lost', { ...replicated, emptyDir: true }, { deleteEmptyDirData: true }, 'evict'],
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
      'passed over',
    ],
    ['a pod that has succeeded', { ...replicated, phase: 'Succeeded' }, {}, 'passed over'],
    ['a pod that has failed', { phase: 'Failed' }, {}, 'passed over'],
    ['a finished pod of a DaemonSet', { ...daemon, phase: 'Failed' }, { ignoreDaemonSets: false }, 'passed over'],
    ['a pod of the operator', { ...replicated, namespace: 'operator-system' }, {}, 'passed over'],
    ['the Job of any NodeOp', labelled('kairos.io/nodeop'), {}, 'passed over'],
    ['a Pod that builds or exports an image', labelled('build.kairos.io/artifact'), {}, 'await'],
    ['one without a controller, too', { labels: { 'build.kairos.io/artifact': 'x' } }, {}, 'await'],
    ['one that has ended', { ...labelled('build.kairos.io/artifact'), phase: 'Succeeded' }, {}, 'passed over'],
    ['a probe of an upgrade', labelled('operator.kairos.io/probe'), {}, 'passed over'],
    ['a reboot pod of the Go operator', labelled('kairos.io/reboot'), { force: true }, 'passed over'],
  ])('%s', (_sentence, traits, options, expected) => expect(fate(traits, options)).toBe(expected));
});

describe('Pods in a message', () => {
  const pods = ['a', 'b', 'c', 'd', 'e'].map(name => pod(name));
  test.each<[number, string]>([
    [0, ''],
    [1, 'default/a'],
    [3, 'default/a, default/b, default/c'],
    [5, 'default/a, default/b, default/c and 2 more'],
  ])('%d of them', (count, text) => expect(podNames(pods.slice(0, count))).toBe(text));
});

test('Of pods that stay, each is named with its own reason', () => {
  const pods = [pod('bare'), pod('web', { ...replicated, emptyDir: true }), pod('other')];
  expect(stayingMessage(classifyPods(pods, OPTIONS, 'operator-system').staying)).toBe(
    'default/bare, default/other not evicted: it has no controller and force is false; ' +
      'default/web not evicted: it has an emptyDir volume and deleteEmptyDirData is false',
  );
});
