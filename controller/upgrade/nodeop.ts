/** NodeOpUpgrade and what its image was found to be → the NodeOp that does the work. */
import { UpgradeDrainOptions } from '../../api/drain.js';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, LABELS, UPGRADE_MANAGER } from '../../api/names.js';
import type { NodeOpSpec } from '../../api/nodeop.js';
import type { NodeOpUpgradeSpec, UpgradeTarget } from '../../api/nodeop-upgrade.js';
import type { ObjectMeta } from '../../api/objects.js';
import { labelValue } from '../../api/resource-name.js';
import { ownedBy } from '../../kube/owner.js';
import { upgradeCommand } from './script.js';
import { pinnedImage, sameInAll } from './target.js';

const PREFLIGHT_SECONDS = 120;

const isActiveWanted = (spec: NodeOpUpgradeSpec) => spec.upgradeActive !== false;
const isRecoveryWanted = (spec: NodeOpUpgradeSpec) => spec.upgradeRecovery === true;

/** `v1.34.4+k3s1` → `1.34`. */
export function kubernetesMinor(softwareVersion: string | undefined): string | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)(?:\.|$)/.exec(softwareVersion ?? '') ?? [];
  return major === undefined || minor === undefined ? undefined : `${major}.${minor}`;
}

/** What the agents compare their hosts with. What differs between architectures is left out: unknown means go on. */
function releaseCheck(spec: NodeOpUpgradeSpec, target: UpgradeTarget) {
  return {
    version: target.version,
    digest: target.digest,
    flavor: sameInAll(target, 'flavor'),
    model: sameInAll(target, 'model'),
    arch: sameInAll(target, 'arch'),
    trustedBoot: sameInAll(target, 'trustedBoot'),
    skipIfCurrent: isActiveWanted(spec) && !isRecoveryWanted(spec),
    allow: spec.allow,
    kubernetesMinor: kubernetesMinor(sameInAll(target, 'softwareVersion')),
  };
}

/** Fields that may change while the operation runs. */
export const liveFields = (spec: NodeOpUpgradeSpec) => ({
  concurrency: spec.concurrency,
  stopOnFailure: spec.stopOnFailure,
  paused: spec.paused,
  settleSeconds: spec.settleSeconds,
  ttlSecondsAfterFinished: spec.ttlSecondsAfterFinished,
});

export function nodeOpSpec(spec: NodeOpUpgradeSpec, target: UpgradeTarget): NodeOpSpec {
  const reboot = isActiveWanted(spec);
  return {
    ...liveFields(spec),
    nodeSelector: spec.nodeSelector,
    imagePullSecrets: spec.imagePullSecrets,
    uncordonOnFailure: spec.uncordonOnFailure,
    backoffLimit: spec.backoffLimit,
    pullDeadlineSeconds: spec.pullDeadlineSeconds,
    startDeadlineSeconds: spec.startDeadlineSeconds,
    rebootTimeoutSeconds: spec.rebootTimeoutSeconds,
    verifyTimeoutSeconds: spec.verifyTimeoutSeconds,
    activeDeadlineSeconds: spec.activeDeadlineSeconds,
    prePull: spec.prePull,
    image: pinnedImage(spec.image, target.digest),
    command: upgradeCommand({
      active: isActiveWanted(spec),
      recovery: isRecoveryWanted(spec),
      debug: spec.debug === true,
      excludePaths: spec.excludePaths ?? [],
    }),
    hostMountPath: '/host',
    cordon: true,
    drainOptions: spec.drainOptions ?? UpgradeDrainOptions.parse({}),
    rebootOnSuccess: reboot,
    ...(spec.force
      ? {}
      : { preflight: { activeDeadlineSeconds: PREFLIGHT_SECONDS, release: releaseCheck(spec, target) } }),
    ...(reboot ? { verify: { version: target.version, bootState: 'active' } } : {}),
  };
}

/** The value by which another attempt is asked for. */
export const retryOf = ({ annotations }: ObjectMeta): string | undefined => annotations?.[ANNOTATIONS.retry];

/** Same name, same namespace, gone with its upgrade. */
export const nodeOpFor = (upgrade: ObjectMeta, spec: NodeOpUpgradeSpec, target: UpgradeTarget) => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  metadata: {
    name: upgrade.name,
    namespace: upgrade.namespace,
    labels: { [LABELS.upgrade]: labelValue(upgrade.name), [LABELS.managedBy]: UPGRADE_MANAGER },
    /* What was there from the start asks for no second attempt. */
    ...(retryOf(upgrade) === undefined ? {} : { annotations: { [ANNOTATIONS.retry]: retryOf(upgrade) } }),
    ownerReferences: [ownedBy(NODE_OP_UPGRADE, { metadata: upgrade })],
  },
  spec: nodeOpSpec(spec, target),
});
