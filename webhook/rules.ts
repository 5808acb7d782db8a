/** Rules between fields. They look at the object as it was sent: one wrong field must not hide what is wrong with others. */
import { OSArtifactSpec } from '../api/os-artifact.js';
import type { SpecFault } from '../api/os-artifact-faults.js';
import { osArtifactFaults } from '../api/os-artifact-rules.js';
import { type Fault, forbidden, invalid, required } from './faults.js';
import { labelSelectorFaults } from './label-selector.js';
import { type Fields, fieldsOf, type Path, valueAt } from './unknown-json.js';

/** Judges a spec that may have any shape. */
export type Rule = (spec: Fields) => Fault[];

const given = (value: unknown) => value !== undefined && value !== null;

/** Either a command in a container or a comparison by the agent. */
const preflight: Rule = spec => {
  const path: Path = ['spec', 'preflight'];
  if (!given(spec.preflight)) return [];
  const { command, release } = fieldsOf(spec.preflight);
  if (given(command) && given(release)) return [forbidden([...path, 'release'], 'may not be given beside command')];
  if (!given(command) && !given(release)) return [required(path, 'exactly one of command and release must be given')];
  return [];
};

const nodeSelector: Rule = spec => labelSelectorFaults(spec.nodeSelector, ['spec', 'nodeSelector']);

/** An upgrade of neither system would do nothing. */
const somethingToUpgrade: Rule = ({ upgradeActive, upgradeRecovery }) =>
  upgradeActive === false && upgradeRecovery !== true
    ? [
        invalid(
          ['spec', 'upgradeRecovery'],
          upgradeRecovery ?? false,
          'must be true when upgradeActive is false: there would be nothing to do',
        ),
      ]
    : [];

export const NODE_OP_RULES: readonly Rule[] = [preflight, nodeSelector];
export const NODE_OP_UPGRADE_RULES: readonly Rule[] = [somethingToUpgrade, nodeSelector];

function artifactFault(spec: Fields, { path: below, message, isForbidden }: SpecFault): Fault {
  const path: Path = ['spec', ...below];
  if (isForbidden) return forbidden(path, message);
  const value = valueAt(spec, below);
  return given(value) ? invalid(path, value, message) : required(path, message);
}

/** The controller applies the same rules to objects that were created while the webhook was absent. They require fields of the right types. */
const artifactRules: Rule = spec => {
  const { success, data } = OSArtifactSpec.safeParse(spec);
  return success ? osArtifactFaults(data).map(fault => artifactFault(spec, fault)) : [];
};

export const OS_ARTIFACT_RULES: readonly Rule[] = [artifactRules];
