/** Warnings about specs that are allowed but may have an unexpected effect. `kubectl` prints each on a line of its own. */
import { OSArtifactSpec } from '../api/os-artifact.js';
import { osArtifactWarnings } from '../api/os-artifact-warnings.js';
import { checkShape } from './shape-check.js';
import { type Fields, fieldsOf } from './unknown-json.js';

/** Returns the warnings about a spec with all defaults, each starting with the field path. */
export type WarningRule = (spec: Fields) => string[];

const drainWithoutCordon: WarningRule = spec =>
  fieldsOf(spec.drainOptions).enabled === true && spec.cordon !== true
    ? ['spec.drainOptions.enabled: has no effect unless spec.cordon is true; no node will be drained']
    : [];

const unlimitedConcurrency = (spec: Fields, effect: string): string[] =>
  spec.concurrency === 0
    ? [`spec.concurrency: 0 means that all matching workers ${effect} at the same time; set a number or a percentage`]
    : [];

const disruptiveConcurrency: WarningRule = spec => {
  if (spec.rebootOnSuccess === true) return unlimitedConcurrency(spec, 'reboot');
  return spec.cordon === true ? unlimitedConcurrency(spec, 'are cordoned') : [];
};

const upgradeConcurrency: WarningRule = spec =>
  unlimitedConcurrency(spec, spec.upgradeActive === false ? 'are cordoned and drained' : 'are drained and rebooted');

const uncordonWithoutCordon: WarningRule = spec =>
  spec.uncordonOnFailure === true && spec.cordon !== true
    ? ['spec.uncordonOnFailure: has no effect unless spec.cordon is true']
    : [];

const rebootWithoutDrain: WarningRule = spec =>
  spec.rebootOnSuccess === true && !(spec.cordon === true && fieldsOf(spec.drainOptions).enabled === true)
    ? [
        'spec.rebootOnSuccess: pods are not evicted before the reboot; set spec.cordon and spec.drainOptions.enabled to drain the nodes first',
      ]
    : [];

/** Stopping on failure is hardly meant to go with starting on all nodes at the same time. */
const stopWithoutLimit: WarningRule = spec =>
  spec.stopOnFailure === true && spec.concurrency === 0
    ? [
        'spec.stopOnFailure: has little effect while spec.concurrency is 0, because all matching workers start at the same time',
      ]
    : [];

/** Upgrades drain by default, NodeOps on request. */
const drainLimits: WarningRule = spec => {
  const { enabled, timeoutSeconds, onTimeout, gracePeriodSeconds } = fieldsOf(spec.drainOptions);
  if (enabled !== true) return [];
  const path = 'spec.drainOptions';
  const warnings: string[] = [];
  if (timeoutSeconds === 0)
    warnings.push(
      `${path}.timeoutSeconds: 0 means no timeout; a PodDisruptionBudget that allows no disruption blocks the node indefinitely`,
    );
  else if (onTimeout === 'Delete')
    warnings.push(`${path}.onTimeout: Delete removes pods without regard to their PodDisruptionBudgets`);
  if (Number(timeoutSeconds) > 0 && Number(gracePeriodSeconds) > Number(timeoutSeconds))
    warnings.push(
      `${path}.gracePeriodSeconds: is longer than timeoutSeconds, so the drain times out before the pods have terminated`,
    );
  return warnings;
};

const disabledGuards: WarningRule = ({ force, allow }) => {
  if (force !== true) return [];
  const warnings = ['spec.force: every matching node runs the upgrade; versions are not compared and no guard applies'];
  if (Array.isArray(allow) && allow.length > 0) warnings.push('spec.allow: has no effect while spec.force is true');
  return warnings;
};

export const NODE_OP_WARNINGS: readonly WarningRule[] = [
  drainWithoutCordon,
  uncordonWithoutCordon,
  rebootWithoutDrain,
  drainLimits,
  disruptiveConcurrency,
  stopWithoutLimit,
];
export const NODE_OP_UPGRADE_WARNINGS: readonly WarningRule[] = [
  drainLimits,
  disabledGuards,
  upgradeConcurrency,
  stopWithoutLimit,
];

const artifactWarnings: WarningRule = spec => {
  const checked = checkShape(OSArtifactSpec, spec);
  return checked.isValid ? osArtifactWarnings(checked.data) : [];
};

export const OS_ARTIFACT_WARNINGS: readonly WarningRule[] = [artifactWarnings];
