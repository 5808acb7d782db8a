/** Selectors as they stand in a query: `a=b`, `a!=b`, `a`, `!a`, with commas between. */
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
  if (!read) throw new Error(`this cluster selects by no field ${field}`);
  return object => read(object) === value;
}

const terms = (text: string | undefined) => (text ? text.split(',') : []);

/** Does an object belong to what was asked for? */
export function selectorPredicate({ namespace, labelSelector, fieldSelector }: Selection): Test {
  const tests = [...terms(labelSelector).map(labelTest), ...terms(fieldSelector).map(fieldTest)];
  return object =>
    (namespace === undefined || object.metadata.namespace === namespace) && tests.every(test => test(object));
}
