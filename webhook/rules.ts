/** Validation rules across fields. They check the object as it was sent, so that one invalid field does not hide the faults of others. */
import { OSArtifactSpec } from '../api/os-artifact.js';
import type { SpecFault } from '../api/os-artifact-faults.js';
import { osArtifactFaults } from '../api/os-artifact-rules.js';
import { type Fault, forbidden, invalid, MAX_FOUND, required } from './faults.js';
import { labelSelectorFaults } from './label-selector.js';
import { checkShape } from './shape-check.js';
import { type Fields, fieldsOf, type Path, valueAt } from './unknown-json.js';

/** Returns the faults of a spec, which may have any shape. */
export type Rule = (spec: Fields) => Fault[];

const isGiven = (value: unknown) => value !== undefined && value !== null;

/** A preflight is either a command in a container or a comparison by the agent. */
const preflight: Rule = spec => {
  const path: Path = ['spec', 'preflight'];
  if (!isGiven(spec.preflight)) return [];
  const { command, release } = fieldsOf(spec.preflight);
  if (isGiven(command) && isGiven(release))
    return [forbidden([...path, 'release'], 'may not be given when command is given')];
  if (!isGiven(command) && !isGiven(release))
    return [required(path, 'exactly one of command and release must be given')];
  return [];
};

const nodeSelector: Rule = spec => labelSelectorFaults(spec.nodeSelector, ['spec', 'nodeSelector']);

/** An upgrade of neither the active nor the recovery system would do nothing. */
const upgradesSomething: Rule = ({ upgradeActive, upgradeRecovery }) =>
  upgradeActive === false && upgradeRecovery !== true
    ? [
        invalid(
          ['spec', 'upgradeRecovery'],
          upgradeRecovery ?? false,
          'must be true when upgradeActive is false, otherwise there is nothing to upgrade',
        ),
      ]
    : [];

export const NODE_OP_RULES: readonly Rule[] = [preflight, nodeSelector];
export const NODE_OP_UPGRADE_RULES: readonly Rule[] = [upgradesSomething, nodeSelector];

function artifactFault(spec: Fields, { path: below, message, isForbidden }: SpecFault): Fault {
  const path: Path = ['spec', ...below];
  if (isForbidden) return forbidden(path, message);
  const value = valueAt(spec, below);
  return isGiven(value) ? invalid(path, value, message) : required(path, message);
}

/** The controller applies the same rules to objects that were created while the webhook was absent. They require fields of the right types. */
const artifactRules: Rule = spec => {
  const checked = checkShape(OSArtifactSpec, spec);
  if (!checked.isValid) return [];
  return osArtifactFaults(checked.data)
    .slice(0, MAX_FOUND)
    .map(fault => artifactFault(spec, fault));
};

export const OS_ARTIFACT_RULES: readonly Rule[] = [artifactRules];
