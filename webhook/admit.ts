/** Which kind is looked at how, and the two questions about an object: what to add, and whether to let it in. */
import { type Kind, NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from '../api/kinds.js';
import { NodeOpSpec } from '../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../api/nodeop-upgrade.js';
import { OSArtifactSpec } from '../api/os-artifact.js';
import { missingDefaults } from './defaults.js';
import { type AdmissionRequest, allow, deny, patch, type ReviewAnswer } from './review.js';
import { NODE_OP_RULES, NODE_OP_UPGRADE_RULES, OS_ARTIFACT_RULES } from './rules.js';
import { type KindPolicy, faultsOf, needsReview, type ReviewedObject, warningsOf } from './validate.js';
import { NODE_OP_WARNINGS, NODE_OP_UPGRADE_WARNINGS, OS_ARTIFACT_WARNINGS } from './warnings.js';

/** A Secret is named after it, with `-rendered-ocispec`; a name has 253 characters at most. */
const LONGEST_ARTIFACT_NAME = 236;

const KINDS: readonly (KindPolicy & { kind: Kind })[] = [
  { kind: NODE_OP, spec: NodeOpSpec, rules: NODE_OP_RULES, warnings: NODE_OP_WARNINGS, oneRun: true },
  {
    kind: NODE_OP_UPGRADE,
    spec: NodeOpUpgradeSpec,
    rules: NODE_OP_UPGRADE_RULES,
    warnings: NODE_OP_UPGRADE_WARNINGS,
    oneRun: true,
  },
  /* A changed spec is a new build. */
  {
    kind: OS_ARTIFACT,
    spec: OSArtifactSpec,
    rules: OS_ARTIFACT_RULES,
    warnings: OS_ARTIFACT_WARNINGS,
    oneRun: false,
    longestName: LONGEST_ARTIFACT_NAME,
  },
];

/** Answers one request. Nothing is read or written for it, so that a dry run and a real one are the same. */
export type Admission = (request: AdmissionRequest) => ReviewAnswer;

const expectationOf = ({ group, kind }: AdmissionRequest['kind']) =>
  KINDS.find(one => one.kind.group === group && one.kind.kind === kind);

/** Is it one of the kinds that are judged here? */
export const isReviewedKind = (kind: AdmissionRequest['kind']): boolean => expectationOf(kind) !== undefined;

/** What there is to judge; nothing for other kinds, subresources, deletions, and updates that leave the spec alone. */
export function reviewedObject({
  kind,
  operation,
  subResource,
  object,
  oldObject,
}: AdmissionRequest): ReviewedObject | undefined {
  const expected = expectationOf(kind);
  if (!expected || !object || (subResource ?? '') !== '') return undefined;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
  const before = operation === 'UPDATE' ? (oldObject ?? {}) : undefined;
  return needsReview(object, before) ? { expected, object, before } : undefined;
}

/**
 * Refuses what is wrong already here: the API server checks shapes right after this call, and would tell of those
 * faults alone, leaving the rest for a second round.
 */
export const mutate: Admission = request => {
  const subject = reviewedObject(request);
  if (!subject) return allow(request);
  const faults = faultsOf(subject);
  return faults.length > 0
    ? deny(request, faults)
    : patch(request, missingDefaults(subject.expected.spec, subject.object.spec, ['spec']));
};

/** Judges the object as it will be stored; `reach` is what the cluster has to say of it, for the warnings. */
export const validate = (request: AdmissionRequest, reach: readonly string[] = []): ReviewAnswer => {
  const subject = reviewedObject(request);
  if (!subject) return allow(request);
  const faults = faultsOf(subject);
  return faults.length > 0 ? deny(request, faults) : allow(request, warningsOf(subject, reach));
};
