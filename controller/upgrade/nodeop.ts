/** Builds the NodeOp of an upgrade from its spec and the target that was read from its image. */
import type * as z from 'zod';
import { UpgradeDrainOptions } from '../../api/drain.js';
import { apiVersion, NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, LABELS, UPGRADE_MANAGER } from '../../api/names.js';
import { NodeOpSpec } from '../../api/nodeop.js';
import { NodeOpUpgradeSpec, type UpgradeTarget } from '../../api/nodeop-upgrade.js';
import type { ObjectMeta } from '../../api/objects.js';
import { NO_BACKUP } from '../../api/pod-metadata.js';
import { boundedLabelValue } from '../../api/resource-name.js';
import { isChangeable, sharedFields } from '../../api/spec-fields.js';
import { controllerReference } from '../../kube/owner.js';
import { retryOf } from '../cluster/retry-annotation.js';
import { upgradeCommand } from './script.js';
import { pinnedImage, commonReleaseValue } from './target.js';

const PREFLIGHT_SECONDS = 120;

const upgradesActive = (spec: NodeOpUpgradeSpec) => spec.upgradeActive !== false;
const upgradesRecovery = (spec: NodeOpUpgradeSpec) => spec.upgradeRecovery === true;

/** `v1.34.4+k3s1` → `1.34`. */
export function kubernetesMinor(softwareVersion: string | undefined): string | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)(?:\.|$)/.exec(softwareVersion ?? '') ?? [];
  return major === undefined || minor === undefined ? undefined : `${major}.${minor}`;
}

/**
 * What each agent compares its host with. A value that differs between architectures is left out, which disables its check. A recovery
 * system may be older than the active one, with which the agent compares.
 */
function releaseCheck(spec: NodeOpUpgradeSpec, target: UpgradeTarget) {
  return {
    version: target.version,
    digest: target.digest,
    flavor: commonReleaseValue(target, 'flavor'),
    model: commonReleaseValue(target, 'model'),
    arch: commonReleaseValue(target, 'arch'),
    trustedBoot: commonReleaseValue(target, 'trustedBoot'),
    skipIfCurrent: upgradesActive(spec) && !upgradesRecovery(spec),
    allow: upgradesActive(spec) ? spec.allow : [...(spec.allow ?? []), 'Downgrade' as const],
    kubernetesMinor: kubernetesMinor(commonReleaseValue(target, 'softwareVersion')),
  };
}

/** The schemas of both kinds; a test of how fields are copied passes others. */
export interface SpecSchemas {
  upgrade: z.ZodType<NodeOpUpgradeSpec>;
  nodeOp: z.ZodType<NodeOpSpec>;
}
const SCHEMAS: SpecSchemas = { upgrade: NodeOpUpgradeSpec, nodeOp: NodeOpSpec };

type SharedField = keyof NodeOpUpgradeSpec & keyof NodeOpSpec;

const pick = (spec: NodeOpUpgradeSpec, fields: readonly SharedField[]): Pick<NodeOpUpgradeSpec, SharedField> =>
  Object.fromEntries(fields.map(field => [field, spec[field]])) as Pick<NodeOpUpgradeSpec, SharedField>;

/** Values of the fields that may change after the operation has started. */
export const changeableValues = (
  spec: NodeOpUpgradeSpec,
  { upgrade, nodeOp }: SpecSchemas = SCHEMAS,
): Partial<Pick<NodeOpUpgradeSpec, SharedField>> =>
  pick(
    spec,
    sharedFields(upgrade, nodeOp).filter(field => isChangeable(upgrade, field)),
  );

/** A field that both kinds have is copied, unless its value is computed below. */
export function nodeOpSpec(
  spec: NodeOpUpgradeSpec,
  target: UpgradeTarget,
  { upgrade, nodeOp }: SpecSchemas = SCHEMAS,
): NodeOpSpec {
  const reboot = upgradesActive(spec);
  return {
    ...pick(spec, sharedFields(upgrade, nodeOp)),
    image: pinnedImage(spec.image, target.digest),
    command: upgradeCommand({
      active: upgradesActive(spec),
      recovery: upgradesRecovery(spec),
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

/** It has the name and namespace of its upgrade, and is deleted with it. */
export const nodeOpFor = (upgrade: ObjectMeta, spec: NodeOpUpgradeSpec, target: UpgradeTarget) => ({
  apiVersion: apiVersion(NODE_OP),
  kind: NODE_OP.kind,
  metadata: {
    name: upgrade.name,
    namespace: upgrade.namespace,
    labels: { ...NO_BACKUP, [LABELS.upgrade]: boundedLabelValue(upgrade.name), [LABELS.managedBy]: UPGRADE_MANAGER },
    /* A value that was set before the NodeOp existed does not request a retry of it. */
    ...(retryOf(upgrade) === undefined ? {} : { annotations: { [ANNOTATIONS.retry]: retryOf(upgrade) } }),
    ownerReferences: [controllerReference(NODE_OP_UPGRADE, { metadata: upgrade })],
  },
  spec: nodeOpSpec(spec, target),
});
