/** An object, and on updates the one before, in; everything that is wrong out. */
import { isDeepStrictEqual } from 'node:util';
import type * as z from 'zod';
import { defaulted } from './defaults.js';
import { type Fault, faultText } from './faults.js';
import { frozenFaults, hasStarted } from './frozen.js';
import { type Fields, fieldsOf } from './raw.js';
import { MOST_WARNINGS } from './review.js';
import type { Rule } from './rules.js';
import { shapeFaults } from './shape-faults.js';
import { unknownFields } from './unknown-fields.js';
import type { Caution } from './warnings.js';

/** What is known of the spec of one kind. */
export interface Expectation {
  spec: z.ZodType;
  rules: readonly Rule[];
  cautions: readonly Caution[];
  /** Objects of this kind are one run each. */
  oneRun: boolean;
}

const pathStarts = (path: Fault['path'], start: Fault['path']) => start.every((key, index) => path[index] === key);

/** All that is wrong with a spec by itself. */
function specFaults({ spec: schema, rules }: Expectation, spec: unknown): Fault[] {
  const { shape, crossField } = shapeFaults(schema, spec, ['spec']);
  const ruled = rules.flatMap(rule => rule(fieldsOf(spec)));
  /* The schema's own cross-field rules are said again by ours, better placed. */
  const unsaid = crossField.filter(one => !ruled.some(rule => pathStarts(rule.path, one.path)));
  return [...shape, ...ruled, ...unsaid];
}

/** What is wrong with it now and was not before: an object from before a rule came can still be changed elsewhere. */
function newFaults(expected: Expectation, spec: unknown, before: unknown): Fault[] {
  const old = new Set(specFaults(expected, before).map(faultText));
  return specFaults(expected, spec).filter(fault => !old.has(faultText(fault)));
}

/** Objects being deleted and updates that leave the spec alone always pass: nothing may stand in the way of their end. */
export const isJudged = (object: Fields, before?: Fields): boolean =>
  before === undefined ||
  (fieldsOf(object.metadata).deletionTimestamp === undefined && !isDeepStrictEqual(object.spec, before.spec));

/** Every fault of an object at once. */
export function faultsOf(expected: Expectation, object: Fields, before?: Fields): Fault[] {
  if (!before) return specFaults(expected, object.spec);
  const [was, is] = [before.spec, object.spec].map(spec => fieldsOf(defaulted(expected.spec, spec)));
  const frozen = expected.oneRun && hasStarted(before) ? frozenFaults(fieldsOf(was), fieldsOf(is)) : [];
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

/** What may surprise about an object that is allowed. Only a new object's annotation is sure to say what was written. */
export function warningsOf(expected: Expectation, object: Fields, before?: Fields): string[] {
  const spec = fieldsOf(defaulted(expected.spec, object.spec));
  const cautions = expected.cautions.flatMap(caution => caution(spec));
  const written = before ? object.spec : writtenSpec(object);
  return [
    /* A heap of misspelt fields must not push the cautions out. */
    ...unknownFields(expected.spec, written, ['spec'], MOST_WARNINGS - cautions.length),
    ...cautions,
  ];
}
