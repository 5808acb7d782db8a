/** Finds the faults of an object, on updates compared with the previous one, and the warnings about it. */
import type * as z from 'zod';
import { countValues, parseNested } from '../api/json-limits.js';
import { ANNOTATIONS } from '../api/names.js';
import { defaulted } from './defaults.js';
import { type Fault, faultKey, invalid, MAX_FOUND, tooMany } from './faults.js';
import { immutableFieldFaults, hasStarted } from './immutable-fields.js';
import { type Fields, fieldsOf, sameJson } from './unknown-json.js';
import { LAST_APPLIED, MAX_WARNINGS } from './review.js';
import type { Rule } from './rules.js';
import { shapeFaults } from './shape-faults.js';
import { unknownFields } from './unknown-fields.js';
import type { WarningRule } from './warnings.js';

/** How the objects of one kind are reviewed. */
export interface KindPolicy {
  spec: z.ZodType;
  rules: readonly Rule[];
  warnings: readonly WarningRule[];
  /** The longest name that leaves room for the names derived from it. */
  maxNameLength?: number;
  /** Whether each object is one run, so that its spec is immutable once it has started. */
  isOneRun: boolean;
}

/** An object to review. */
export interface ReviewedObject {
  policy: KindPolicy;
  kind: string;
  namespace: string;
  name: string;
  object: Fields;
  /** The previous object; only on updates. */
  before?: Fields;
}

/** Enough for a selector that lists 5,000 nodes; the faults of a larger spec could exhaust the memory. */
const MAX_SPEC_VALUES = 20_000;
const isHuge = (spec: unknown) => countValues(spec, MAX_SPEC_VALUES) > MAX_SPEC_VALUES;

/** The faults of a spec, without regard to the previous one. */
function specFaults({ spec: schema, rules }: KindPolicy, spec: unknown): Fault[] {
  if (isHuge(spec)) return [tooMany(['spec'], `must contain at most ${MAX_SPEC_VALUES} values in total`)];
  const ruleFaults = rules.flatMap(rule => rule(fieldsOf(spec))).slice(0, MAX_FOUND);
  if (ruleFaults.length === MAX_FOUND) return ruleFaults;
  const { shape, crossField } = shapeFaults(schema, spec, ['spec']);
  /* A fault that both find is reported once, by the rule, whose path is more precise. */
  const rulePaths = new Set(ruleFaults.map(({ path }) => pathKey(path)));
  return [
    ...shape.filter(({ path }) => !rulePaths.has(pathKey(path))),
    ...ruleFaults,
    ...crossField.filter(isWithoutFaultBelow(ruleFaults)),
  ];
}

const pathKey = (path: Fault['path']): string => path.map(String).join('\0');

/** Whether none of the faults is at the path of the given one or below it. */
function isWithoutFaultBelow(faults: readonly Fault[]): (fault: Fault) => boolean {
  const startsOfLength = new Map<number, Set<string>>();
  const starts = (length: number) => {
    const known = startsOfLength.get(length) ?? new Set(faults.map(({ path }) => pathKey(path.slice(0, length))));
    startsOfLength.set(length, known);
    return known;
  };
  return ({ path }) => !starts(path.length).has(pathKey(path));
}

/** The faults that the previous spec did not have: an object stored before a rule was introduced can still be changed in other fields. */
function newFaults(policy: KindPolicy, spec: unknown, before: unknown): Fault[] {
  const faults = specFaults(policy, spec);
  if (faults.length === 0) return faults;
  const old = new Set(specFaults(policy, before).map(faultKey));
  return faults.filter(fault => !old.has(faultKey(fault)));
}

/** Terminating objects and updates that do not change the spec always pass, so that finalizers can be removed. */
export const needsReview = (object: Fields, before?: Fields): boolean =>
  before === undefined ||
  (fieldsOf(object.metadata).deletionTimestamp === undefined && !sameJson(object.spec, before.spec));

function nameFaults({ maxNameLength }: KindPolicy, object: Fields): Fault[] {
  const { name } = fieldsOf(object.metadata);
  if (maxNameLength === undefined || typeof name !== 'string' || name.length <= maxNameLength) return [];
  return [invalid(['metadata', 'name'], name, `must have at most ${maxNameLength} characters`)];
}

/** All faults of an object. */
export function faultsOf({ policy, object, before }: ReviewedObject): Fault[] {
  if (!before) return [...nameFaults(policy, object), ...specFaults(policy, object.spec)];
  const faults = newFaults(policy, object.spec, before.spec);
  if (!policy.isOneRun || !hasStarted(before)) return faults;
  const withDefaults = (spec: unknown) => fieldsOf(isHuge(spec) ? spec : defaulted(policy.spec, spec));
  return [...faults, ...immutableFieldFaults(policy.spec, withDefaults(before.spec), withDefaults(object.spec))];
}

/** The spec of the object with all defaults. */
export const defaultedSpec = ({ policy, object }: ReviewedObject): Fields =>
  fieldsOf(defaulted(policy.spec, object.spec));

function writtenSpec(object: Fields): unknown {
  const annotation = fieldsOf(fieldsOf(object.metadata).annotations)[LAST_APPLIED];
  const written = typeof annotation === 'string' ? parseNested(annotation) : undefined;
  return written === undefined ? object.spec : fieldsOf(written).spec;
}

/** Longer names are truncated and hashed in labels, which matters to users who select by them. */
const MAX_LABEL_LENGTH = 63;

const longNameWarnings = (object: Fields): string[] => {
  const { name } = fieldsOf(object.metadata);
  return typeof name === 'string' && name.length > MAX_LABEL_LENGTH
    ? [
        `metadata.name: is longer than ${MAX_LABEL_LENGTH} characters; the labels of its Jobs and Pods contain a truncated name`,
      ]
    : [];
};

/** The uid of a new object is not known before it is stored, so the mark is that of another object. */
const copiedMarkWarnings = (object: Fields): string[] =>
  fieldsOf(fieldsOf(object.metadata).annotations)[ANNOTATIONS.started] === undefined
    ? []
    : [
        `metadata.annotations: "${ANNOTATIONS.started}" marks an object that was started before, so this one will not run; remove the annotation to run it`,
      ];

/**
 * The warnings about an allowed object, including those that depend on the cluster. The last-applied annotation is used for new objects
 * only, because on updates it may be outdated.
 */
export function warningsOf(reviewed: ReviewedObject, clusterWarnings: readonly string[]): string[] {
  const { policy, object, before } = reviewed;
  const spec = defaultedSpec(reviewed);
  const warnings = [
    ...(before ? [] : [...longNameWarnings(object), ...copiedMarkWarnings(object)]),
    ...policy.warnings.flatMap(rule => rule(spec)),
    ...clusterWarnings,
  ];
  const written = before ? object.spec : writtenSpec(object);
  return [
    /* Unknown fields get only the remaining places, so that many of them do not displace the other warnings. */
    ...unknownFields(policy.spec, written, ['spec'], MAX_WARNINGS - warnings.length),
    ...warnings,
  ];
}
