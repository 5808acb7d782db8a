/** Admission of the operator's kinds: which kind has which policy, and the answers of the two webhooks. */
import { type Kind, NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from '../api/kinds.js';
import { NodeOpSpec } from '../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../api/nodeop-upgrade.js';
import { OSArtifactSpec } from '../api/os-artifact.js';
import { missingDefaults } from './defaults.js';
import type { Fault } from './faults.js';
import { type AdmissionRequest, allow, deny, patch, type ReviewAnswer } from './review.js';
import { NODE_OP_RULES, NODE_OP_UPGRADE_RULES, OS_ARTIFACT_RULES } from './rules.js';
import { faultsOf, type KindPolicy, needsReview, type ReviewedObject, warningsOf } from './validate.js';
import { NODE_OP_WARNINGS, NODE_OP_UPGRADE_WARNINGS, OS_ARTIFACT_WARNINGS } from './warnings.js';

/** The Secret of an artifact is called `<name>-rendered-ocispec`, and an object name has at most 253 characters. */
const MAX_ARTIFACT_NAME = 236;

const POLICIES: readonly (KindPolicy & { kind: Kind })[] = [
  { kind: NODE_OP, spec: NodeOpSpec, rules: NODE_OP_RULES, warnings: NODE_OP_WARNINGS, isOneRun: true },
  {
    kind: NODE_OP_UPGRADE,
    spec: NodeOpUpgradeSpec,
    rules: NODE_OP_UPGRADE_RULES,
    warnings: NODE_OP_UPGRADE_WARNINGS,
    isOneRun: true,
  },
  /* Changing the spec of an OSArtifact starts a new build. */
  {
    kind: OS_ARTIFACT,
    spec: OSArtifactSpec,
    rules: OS_ARTIFACT_RULES,
    warnings: OS_ARTIFACT_WARNINGS,
    isOneRun: false,
    maxNameLength: MAX_ARTIFACT_NAME,
  },
];

const policyFor = ({ group, kind }: AdmissionRequest['kind']) =>
  POLICIES.find(policy => policy.kind.group === group && policy.kind.kind === kind);

/** Whether the kind is one that this webhook reviews. */
export const isReviewedKind = (kind: AdmissionRequest['kind']): boolean => policyFor(kind) !== undefined;

/** The object to review; undefined for other kinds, subresources, deletions, and updates that do not change the spec. */
export function reviewedObject(request: AdmissionRequest): ReviewedObject | undefined {
  const { kind, operation, subResource, object, oldObject, namespace = '', name = '' } = request;
  const policy = policyFor(kind);
  if (!policy || !object || (subResource ?? '') !== '') return undefined;
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined;
  const before = operation === 'UPDATE' ? (oldObject ?? {}) : undefined;
  return needsReview(object, before) ? { policy, kind: kind.kind, namespace, name, object, before } : undefined;
}

/** A request with its object, if there is one to review, and the faults of the object, which are looked for once per request. */
interface Judgement {
  request: AdmissionRequest;
  reviewed: ReviewedObject | undefined;
  faults: readonly Fault[];
}

function judge(request: AdmissionRequest): Judgement {
  const reviewed = reviewedObject(request);
  return { request, reviewed, faults: reviewed ? faultsOf(reviewed) : [] };
}

/**
 * The answer of the mutating webhook: adds missing defaults. It also rejects faulty objects, because the API server validates the
 * CRD schema right after this call and would report schema faults only, so that users would see the other faults in a second attempt.
 */
export function mutate(request: AdmissionRequest): ReviewAnswer {
  const { reviewed, faults } = judge(request);
  if (!reviewed) return allow(request);
  if (faults.length > 0) return deny(request, faults);
  return patch(request, missingDefaults(reviewed.policy.spec, reviewed.object.spec, ['spec']));
}

function validationAnswer({ request, reviewed, faults }: Judgement, clusterWarnings: readonly string[]): ReviewAnswer {
  if (!reviewed) return allow(request);
  return faults.length > 0 ? deny(request, faults) : allow(request, warningsOf(reviewed, clusterWarnings));
}

/** The answer of the validating webhook from the request alone, for callers without a cluster. */
export const validate = (request: AdmissionRequest): ReviewAnswer => validationAnswer(judge(request), []);

/** Warnings about an allowed object that depend on the state of the cluster. Must resolve soon even when the API server does not respond. */
export type ClusterWarnings = (reviewed: ReviewedObject) => Promise<readonly string[]>;

/** The answer of the validating webhook; an allowed object also gets the warnings that depend on the cluster. */
export async function validateInCluster(request: AdmissionRequest, warnings: ClusterWarnings): Promise<ReviewAnswer> {
  const judgement = judge(request);
  const { reviewed, faults } = judgement;
  return validationAnswer(judgement, reviewed && faults.length === 0 ? await warnings(reviewed) : []);
}
