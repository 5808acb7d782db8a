/** An object, and on updates the one before, in; everything that is wrong out. */
import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import { defaulted } from './defaults.js';
import { type Fault, faultText, invalid, pathText, tooMany } from './faults.js';
import { immutableFieldFaults, hasStarted } from './immutable-fields.js';
import { countValues } from './json-limits.js';
import { type Fields, fieldsOf } from './unknown-json.js';
import { MAX_WARNINGS } from './review.js';
import type { Rule } from './rules.js';
import { shapeFaults } from './shape-faults.js';
import { unknownFields } from './unknown-fields.js';
import type { WarningRule } from './warnings.js';

/** What is known of the spec of one kind. */
export interface KindPolicy {
  spec: z.ZodType;
  rules: readonly Rule[];
  warnings: readonly WarningRule[];
  /** Names longer than this leave no room for what is made of them. */
  longestName?: number;
  /** Objects of this kind are one run each. */
  oneRun: boolean;
}

/** An object that is judged, and on updates the one before. */
export interface ReviewedObject {
  expected: KindPolicy;
  object: Fields;
  before?: Fields;
}

const pathStarts = (path: Fault['path'], start: Fault['path']) => start.every((key, index) => path[index] === key);

/** Room for a selector that names 5,000 nodes one by one; beyond it, a list of faults alone would fill the memory. */
const MOST_SPEC_VALUES = 20_000;
const isHuge = (spec: unknown) => countValues(spec, MOST_SPEC_VALUES) > MOST_SPEC_VALUES;

/** All that is wrong with a spec by itself. */
function specFaults({ spec: schema, rules }: KindPolicy, spec: unknown): Fault[] {
  if (isHuge(spec)) return [tooMany(['spec'], `must hold at most ${MOST_SPEC_VALUES} values altogether`)];
  const { shape, crossField } = shapeFaults(schema, spec, ['spec']);
  const ruled = rules.flatMap(rule => rule(fieldsOf(spec)));
  /* What the schema says, too, is said once, by our own rules, better placed. */
  const said = new Set(ruled.map(({ path }) => pathText(path)));
  return [
    ...shape.filter(one => !said.has(pathText(one.path))),
    ...ruled,
    ...crossField.filter(one => !ruled.some(rule => pathStarts(rule.path, one.path))),
  ];
}

/** What is wrong with it now and was not before: an object from before a rule came can still be changed elsewhere. */
function newFaults(expected: KindPolicy, spec: unknown, before: unknown): Fault[] {
  const old = new Set(specFaults(expected, before).map(faultText));
  return specFaults(expected, spec).filter(fault => !old.has(faultText(fault)));
}

/** Objects being deleted and updates that leave the spec alone always pass: nothing may stand in the way of their end. */
export const needsReview = (object: Fields, before?: Fields): boolean =>
  before === undefined ||
  (fieldsOf(object.metadata).deletionTimestamp === undefined && !isDeepStrictEqual(object.spec, before.spec));

function nameFaults({ longestName }: KindPolicy, object: Fields): Fault[] {
  const { name } = fieldsOf(object.metadata);
  if (longestName === undefined || typeof name !== 'string' || name.length <= longestName) return [];
  return [invalid(['metadata', 'name'], name, `must have at most ${longestName} characters`)];
}

/** Every fault of an object at once. */
export function faultsOf({ expected, object, before }: ReviewedObject): Fault[] {
  if (!before) return [...nameFaults(expected, object), ...specFaults(expected, object.spec)];
  const whole = (spec: unknown) => fieldsOf(isHuge(spec) ? spec : defaulted(expected.spec, spec));
  const [was, is] = [whole(before.spec), whole(object.spec)];
  const frozen = expected.oneRun && hasStarted(before) ? immutableFieldFaults(expected.spec, was, is) : [];
  return [...newFaults(expected, object.spec, before.spec), ...frozen];
}

/** Annotation in which `kubectl apply` keeps what the user wrote, before the API server dropped unknown fields. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function writtenSpec(object: Fields): unknown {
  const annotation = fieldsOf(fieldsOf(object.metadata).annotations)[LAST_APPLIED];
  if (typeof annotation !== 'string') return object.spec;
  try {
    return fieldsOf(JSON.parse(annotation)).spec;
  } catch {
    return object.spec;
  }
}

/** Names of Jobs, labels and events are cut and hashed beyond this: who selects by them has to know. */
const LONGEST_LABEL = 63;

const longName = (object: Fields): string[] => {
  const { name } = fieldsOf(object.metadata);
  return typeof name === 'string' && name.length > LONGEST_LABEL
    ? [`metadata.name: longer than ${LONGEST_LABEL} characters; the labels of its Jobs and Pods carry it shortened`]
    : [];
};

/**
 * What may surprise about an object that is allowed; `reach` is what the cluster has to say of it. Only a new object's
 * annotation is sure to say what was written.
 */
export function warningsOf({ expected, object, before }: ReviewedObject, reach: readonly string[]): string[] {
  const spec = fieldsOf(defaulted(expected.spec, object.spec));
  const cautions = [
    ...(before ? [] : longName(object)),
    ...expected.warnings.flatMap(caution => caution(spec)),
    ...reach,
  ];
  const written = before ? object.spec : writtenSpec(object);
  return [
    /* A heap of misspelt fields must not push the cautions out. */
    ...unknownFields(expected.spec, written, ['spec'], MAX_WARNINGS - cautions.length),
    ...cautions,
  ];
}
