/** Label and field selectors in query form: `a=b`, `a!=b`, `a` and `!a`, separated by commas. */
import type { StoredObject } from '../object-store.js';

export interface Selection {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

type Test = (object: StoredObject) => boolean;

function labelTest(term: string): Test {
  const [, key = '', unequal, value] = /^!?([^=!]+)(?:(!)?=?=(.*))?$/.exec(term.trim()) ?? [];
  if (term.startsWith('!')) return ({ metadata }) => metadata.labels?.[key] === undefined;
  if (value === undefined) return ({ metadata }) => metadata.labels?.[key] !== undefined;
  return ({ metadata }) => (metadata.labels?.[key] === value) === (unequal === undefined);
}

const FIELDS: Readonly<Record<string, (object: StoredObject) => unknown>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace,
  'spec.nodeName': object => (object as object as { spec?: { nodeName?: string } }).spec?.nodeName,
};

function fieldTest(term: string): Test {
  const [field = '', value] = term.split(/==?/);
  const read = FIELDS[field];
  if (!read) throw new Error(`the fake API server does not support the field selector ${field}`);
  return object => read(object) === value;
}

const terms = (text: string | undefined) => (text ? text.split(',') : []);

/** Tells whether an object is in the namespace and matches the selectors. */
export function selectorPredicate({ namespace, labelSelector, fieldSelector }: Selection): Test {
  const tests = [...terms(labelSelector).map(labelTest), ...terms(fieldSelector).map(fieldTest)];
  return object =>
    (namespace === undefined || object.metadata.namespace === namespace) && tests.every(test => test(object));
}
