/** Which kind is looked at how, and the two questions about an object: what to add, and whether to let it in. */
import { type Kind, NODE_OP, NODE_OP_UPGRADE } from '../api/kinds.js';
import { NodeOpSpec } from '../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../api/nodeop-upgrade.js';
import { missingDefaults } from './defaults.js';
import { type AdmissionRequest, allow, deny, patch, type ReviewAnswer } from './review.js';
import { NODE_OP_RULES, NODE_OP_UPGRADE_RULES } from './rules.js';
import { type Expectation, faultsOf, isJudged, warningsOf } from './validate.js';
import { NODE_OP_CAUTIONS, NODE_OP_UPGRADE_CAUTIONS } from './warnings.js';

const KINDS: readonly (Expectation & { kind: Kind })[] = [
  { kind: NODE_OP, spec: NodeOpSpec, rules: NODE_OP_RULES, cautions: NODE_OP_CAUTIONS, oneRun: true },
  {
    kind: NODE_OP_UPGRADE,
    spec: NodeOpUpgradeSpec,
    rules: NODE_OP_UPGRADE_RULES,
    cautions: NODE_OP_UPGRADE_CAUTIONS,
    oneRun: true,
  },
];

/** Answers one request. Nothing is read or written for it, so that a dry run and a real one are the same. */
export type Admission = (request: AdmissionRequest) => ReviewAnswer;

interface Subject {
  expected: Expectation;
  object: NonNullable<AdmissionRequest['object']>;
  before?: NonNullable<AdmissionRequest['object']>;
}

/** What there is to judge; nothing for other kinds, subresources, deletions, and updates that leave the spec alone. */
function subjectOf({ kind, operation, subResource, object, oldObject }: AdmissionRequest): Subject | undefined {
  const expected = KINDS.find(one => one.kind.group === kind.group && one.kind.kind === kind.kind);
  if (!expected || !object || (subResource ?? '') !== '') return undefined;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
  const before = operation === 'UPDATE' ? (oldObject ?? {}) : undefined;
  return isJudged(object, before) ? { expected, object, before } : undefined;
}

/**
 * Refuses what is wrong already here: the API server checks shapes right after this call, and would tell of those
 * faults alone, leaving the rest for a second round.
 */
export const mutate: Admission = request => {
  const subject = subjectOf(request);
  if (!subject) return allow(request);
  const { expected, object, before } = subject;
  const faults = faultsOf(expected, object, before);
  return faults.length > 0
    ? deny(request, faults)
    : patch(request, missingDefaults(expected.spec, object.spec, ['spec']));
};

/** Judges the object as it will be stored. */
export const validate: Admission = request => {
  const subject = subjectOf(request);
  if (!subject) return allow(request);
  const { expected, object, before } = subject;
  const faults = faultsOf(expected, object, before);
  return faults.length > 0 ? deny(request, faults) : allow(request, warningsOf(expected, object, before));
};
