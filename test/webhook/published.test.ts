/** The examples of the published documentation of the Go operator, field by field: all are allowed, with useful warnings only. */
import { describe, expect, test } from '@jest/globals';
import { mutate, validate } from '../../webhook/admit.js';
import { faultsIn, patchIn, request } from './reviews.js';

const managed = { matchLabels: { 'kairos.io/managed': 'true' } };
const drainOptions = {
  enabled: true,
  force: false,
  gracePeriodSeconds: 30,
  ignoreDaemonSets: true,
  deleteEmptyDirData: false,
  timeoutSeconds: 300,
};
const imagePullSecrets = [{ name: 'private-registry-secret' }];
const careful = { concurrency: 1, stopOnFailure: true };
const image = 'registry.example.com/kairos/opensuse:leap-15.6-standard-amd64-generic-v3.4.2-k3sv1.30.11-k3s1';

/** Every documented field. */
const wholeNodeOp = {
  nodeSelector: managed,
  image: 'busybox:latest',
  imagePullSecrets,
  command: ['sh', '-c', 'cat /host/etc/kairos-release\n'],
  hostMountPath: '/host',
  cordon: true,
  drainOptions,
  rebootOnSuccess: true,
  backoffLimit: 3,
  ...careful,
};

describe('a published example', () => {
  test.each<[string, 'NodeOp' | 'NodeOpUpgrade', object, string[]]>([
    ['a NodeOp with all fields', 'NodeOp', wholeNodeOp, []],
    [
      'a NodeOp for control planes by label and value',
      'NodeOp',
      {
        ...wholeNodeOp,
        nodeSelector: {
          ...managed,
          matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'In', values: ['true'] }],
        },
      },
      [],
    ],
    [
      'a NodeOp that resets nodes',
      'NodeOp',
      { nodeSelector: managed, image: 'busybox', command: ['sh'], rebootOnSuccess: true, ...careful },
      [
        'spec.rebootOnSuccess: pods are not evicted before the reboot; set spec.cordon and spec.drainOptions.enabled to drain the nodes first',
      ],
    ],
    [
      'a NodeOp with a preflight',
      'NodeOp',
      { ...wholeNodeOp, preflight: { command: ['sh', '-c', 'exit 0'], activeDeadlineSeconds: 120 } },
      [],
    ],
    ['an upgrade one by one', 'NodeOpUpgrade', { image, nodeSelector: managed, ...careful }, []],
    [
      'an upgrade with all fields',
      'NodeOpUpgrade',
      {
        image,
        imagePullSecrets,
        nodeSelector: managed,
        ...careful,
        upgradeActive: true,
        upgradeRecovery: false,
        force: false,
      },
      [],
    ],
    [
      'an upgrade of recovery alone',
      'NodeOpUpgrade',
      { image, upgradeActive: false, upgradeRecovery: true, ...careful },
      [],
    ],
    [
      'an upgrade by force',
      'NodeOpUpgrade',
      { image, force: true, ...careful },
      ['spec.force: every matching node runs the upgrade; versions are not compared and no guard applies'],
    ],
    [
      'an upgrade of an image alone',
      'NodeOpUpgrade',
      { image },
      [
        'spec.concurrency: 0 means that all matching workers are drained and rebooted at the same time; set a number or a percentage',
      ],
    ],
  ])('is allowed: %s', (_title, kind, spec, warnings) => {
    const answer = validate(request({ kind, spec }));
    expect({ faults: faultsIn(answer), warnings: answer.response.warnings ?? [] }).toEqual({ faults: [], warnings });
    expect(patchIn(mutate(request({ kind, spec }))).filter(({ op }) => op !== 'add')).toEqual([]);
  });
});
