import { describe, expect, test } from '@jest/globals';
import { NodeOpSpec } from '../../../api/nodeop.js';
import { kubernetesMinor, nodeOpFor, nodeOpSpec } from '../../../controller/upgrade/nodeop.js';
import { DIGEST, IMAGE, NOW, spec, TRIPLE, upgrade } from './samples.js';

const RELEASE = {
  version: 'v2',
  softwareVersion: 'v1.34.4+k3s1',
  softwareVersionPrefix: 'k3s',
  arch: 'amd64',
  trustedBoot: false,
};
const TARGET = { version: TRIPLE, digest: DIGEST, releases: { amd64: RELEASE }, probedAt: NOW.toISOString() };
const made = (more: Record<string, unknown> = {}, target = {}) => nodeOpSpec(spec(more), { ...TARGET, ...target });

describe('the NodeOp of an upgrade', () => {
  test('has the name of the upgrade, its labels and an owner reference to it', () => {
    expect(nodeOpFor(upgrade().metadata, spec(), TARGET)).toMatchObject({
      apiVersion: 'operator.kairos.io/v1alpha1',
      kind: 'NodeOp',
      metadata: {
        name: 'to-v2',
        namespace: 'default',
        labels: { 'nodeopupgrade.kairos.io/name': 'to-v2', 'app.kubernetes.io/managed-by': 'nodeopupgrade-controller' },
        ownerReferences: [{ kind: 'NodeOpUpgrade', name: 'to-v2', uid: 'uid-of-upgrade', controller: true }],
      },
    });
  });

  test('cordons, drains and reboots, with the image pinned to its digest', () => {
    expect(made()).toMatchObject({
      image: `quay.io/kairos/debian@${DIGEST}`,
      cordon: true,
      rebootOnSuccess: true,
      activeDeadlineSeconds: 3600,
      prePull: true,
      settleSeconds: undefined,
      drainOptions: { enabled: true, ignoreDaemonSets: true, deleteEmptyDirData: true, force: false },
      verify: { version: TRIPLE, bootState: 'active' },
    });
  });

  test('lets the agents compare their hosts with the release', () => {
    expect(made({ allow: ['TrustedBoot'] }).preflight?.release).toEqual({
      version: TRIPLE,
      digest: DIGEST,
      arch: 'amd64',
      trustedBoot: false,
      skipIfCurrent: true,
      allow: ['TrustedBoot'],
      kubernetesMinor: '1.34',
    });
  });

  test('copies the fields that both kinds share', () => {
    const common = {
      nodeSelector: { matchLabels: { a: 'b' } },
      imagePullSecrets: [{ name: 's' }],
      concurrency: '25%',
      stopOnFailure: true,
      uncordonOnFailure: true,
      paused: true,
      backoffLimit: 1,
      pullDeadlineSeconds: 2,
      startDeadlineSeconds: 3,
      rebootTimeoutSeconds: 4,
      verifyTimeoutSeconds: 5,
      activeDeadlineSeconds: 6,
      settleSeconds: 7,
      ttlSecondsAfterFinished: 8,
      prePull: false,
    };
    expect(made(common)).toMatchObject(common);
  });

  test('takes the given drain options and the defaults of upgrades for the rest', () => {
    expect(made({ drainOptions: { timeoutSeconds: 5 } }).drainOptions).toMatchObject({
      enabled: true,
      deleteEmptyDirData: true,
      timeoutSeconds: 5,
    });
    expect(made({ drainOptions: { enabled: false } }).drainOptions?.enabled).toBe(false);
  });

  test('does not reboot, verify or skip if only the recovery system is upgraded', () => {
    const op = made({ upgradeActive: false, upgradeRecovery: true });
    expect(op.rebootOnSuccess).toBe(false);
    expect(op.verify).toBeUndefined();
    expect(op.preflight?.release?.skipIfCurrent).toBe(false);
  });

  test('skips no node if both systems are upgraded', () => {
    expect(made({ upgradeRecovery: true }).preflight?.release?.skipIfCurrent).toBe(false);
  });

  test('has no preflight with force, but still verifies', () => {
    const op = made({ force: true });
    expect(op.preflight).toBeUndefined();
    expect(op.verify).toEqual({ version: TRIPLE, bootState: 'active' });
  });

  test('compares nothing if the version is unknown', () => {
    const op = nodeOpSpec(spec(), { releases: { amd64: {} } });
    expect(op.image).toBe(IMAGE);
    expect(op.preflight?.release).toEqual({ skipIfCurrent: true });
    expect(op.verify).toEqual({ bootState: 'active' });
  });

  test('requires no architecture if there are two', () => {
    const releases = { amd64: RELEASE, arm64: { ...RELEASE, arch: 'arm64' } };
    expect(made({}, { releases }).preflight?.release).toMatchObject({ arch: undefined, kubernetesMinor: '1.34' });
  });

  test('is valid by the schema of NodeOp', () => {
    const op = JSON.parse(JSON.stringify(made())) as unknown;
    expect(NodeOpSpec.parse(op)).toEqual(op);
  });
});

test.each([
  ['v1.34.4+k3s1', '1.34'],
  ['1.30.11', '1.30'],
  ['v1.31', '1.31'],
  ['latest', undefined],
  ['', undefined],
  [undefined, undefined],
])('the Kubernetes minor in %s is %s', (text, minor) => expect(kubernetesMinor(text)).toBe(minor));
