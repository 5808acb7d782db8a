/** What is allowed and yet may surprise. `kubectl` prints each as a line of its own. */
import { OSArtifactSpec } from '../api/os-artifact.js';
import { osArtifactWarnings } from '../api/os-artifact-warnings.js';
import { type Fields, fieldsOf } from './unknown-json.js';

/** Looks at a spec with all defaults. */
export type WarningRule = (spec: Fields) => string[];

const drainWithoutCordon: WarningRule = spec =>
  fieldsOf(spec.drainOptions).enabled === true && spec.cordon !== true
    ? ['spec.drainOptions.enabled: has no effect without spec.cordon, nothing will be drained']
    : [];

const allAtOnce = (spec: Fields, does: string): string[] =>
  spec.concurrency === 0
    ? [`spec.concurrency: 0 means that all matching workers ${does} at the same time; set a number or a percentage`]
    : [];

const allWorkersAtOnce: WarningRule = spec => {
  if (spec.rebootOnSuccess === true) return allAtOnce(spec, 'reboot');
  return spec.cordon === true ? allAtOnce(spec, 'are cordoned') : [];
};

const allUpgradesAtOnce: WarningRule = spec =>
  allAtOnce(spec, spec.upgradeActive === false ? 'are cordoned and drained' : 'are drained and reboot');

const pointlessUncordon: WarningRule = spec =>
  spec.uncordonOnFailure === true && spec.cordon !== true
    ? ['spec.uncordonOnFailure: has no effect without spec.cordon']
    : [];

const rebootOverPods: WarningRule = spec =>
  spec.rebootOnSuccess === true && !(spec.cordon === true && fieldsOf(spec.drainOptions).enabled === true)
    ? ['spec.rebootOnSuccess: pods are not moved away before the reboot; cordon and drainOptions.enabled would']
    : [];

/** Whoever asks to stop after a failure hardly means to start everywhere at once. */
const nothingLeftToStop: WarningRule = spec =>
  spec.stopOnFailure === true && spec.concurrency === 0
    ? ['spec.stopOnFailure: has little effect while spec.concurrency is 0: all matching workers start at once']
    : [];

/** A drain that is on; upgrades drain unless told otherwise. */
const riskyDrain: WarningRule = spec => {
  const { enabled, timeoutSeconds, onTimeout, gracePeriodSeconds } = fieldsOf(spec.drainOptions);
  if (enabled !== true) return [];
  const path = 'spec.drainOptions';
  const said: string[] = [];
  if (timeoutSeconds === 0)
    said.push(`${path}.timeoutSeconds: 0 has no end; a budget that allows nothing holds the node for ever`);
  else if (onTimeout === 'Delete') said.push(`${path}.onTimeout: Delete takes pods past their disruption budgets`);
  if (Number(timeoutSeconds) > 0 && Number(gracePeriodSeconds) > Number(timeoutSeconds))
    said.push(`${path}.gracePeriodSeconds: longer than timeoutSeconds; the drain is over before the pods are`);
  return said;
};

const withoutGuards: WarningRule = ({ force, allow }) => [
  ...(force === true
    ? ['spec.force: every target runs the upgrade, versions are not compared and no guard holds']
    : []),
  ...(force === true && Array.isArray(allow) && allow.length > 0
    ? ['spec.allow: has no effect beside spec.force']
    : []),
];

export const NODE_OP_WARNINGS: readonly WarningRule[] = [
  drainWithoutCordon,
  pointlessUncordon,
  rebootOverPods,
  riskyDrain,
  allWorkersAtOnce,
  nothingLeftToStop,
];
export const NODE_OP_UPGRADE_WARNINGS: readonly WarningRule[] = [
  riskyDrain,
  withoutGuards,
  allUpgradesAtOnce,
  nothingLeftToStop,
];

const artifactWarnings: WarningRule = spec => {
  const { success, data } = OSArtifactSpec.safeParse(spec);
  return success ? osArtifactWarnings(data) : [];
};

export const OS_ARTIFACT_WARNINGS: readonly WarningRule[] = [artifactWarnings];
