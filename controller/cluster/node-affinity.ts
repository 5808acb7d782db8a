/** Whether a node meets the required node affinity of a pod, as Kubernetes decides. Pure. */
import { matches, type Requirement } from '../../kube/selector.js';
import type { CachedNode } from './node.js';

export interface NodeSelectorRequirement {
  key: string;
  operator: string;
  values?: readonly string[];
}

export interface NodeSelectorTerm {
  matchExpressions?: readonly NodeSelectorRequirement[];
  matchFields?: readonly NodeSelectorRequirement[];
}

/** One of the terms must match. Without terms, or in a term without requirements, nothing matches. */
export function matchesNodeAffinity(
  required: { nodeSelectorTerms?: readonly NodeSelectorTerm[] } | undefined,
  node: CachedNode,
): boolean {
  if (required === undefined) return true;
  return (required.nodeSelectorTerms ?? []).some(term => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: CachedNode): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { 'metadata.name': metadata.name };
  return (
    matchExpressions.every(requirement => isMet(requirement, metadata.labels ?? {})) &&
    matchFields.every(requirement => isMet(requirement, fields))
  );
}

function isMet(requirement: NodeSelectorRequirement, values: Readonly<Record<string, string>>): boolean {
  const { key, operator, values: [bound] = [] } = requirement;
  if (operator === 'Gt' || operator === 'Lt') return isBeyond(operator, values[key], bound);
  return matches({ matchExpressions: [requirement as Requirement] }, values);
}

const INTEGER = /^[+-]?\d+$/;

/** Only integers compare. */
function isBeyond(operator: 'Gt' | 'Lt', value: string | undefined, bound: string | undefined): boolean {
  if (!INTEGER.test(value ?? '') || !INTEGER.test(bound ?? '')) return false;
  return operator === 'Gt' ? Number(value) > Number(bound) : Number(value) < Number(bound);
}
