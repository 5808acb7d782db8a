/** Validates label selectors as the API server does for built-in kinds; it does not check those of custom resources. */
import { type Fault, forbidden, invalid, MAX_FOUND, required } from './faults.js';
import { fieldsOf, listOf, type Path, textOf } from './unknown-json.js';

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const NAME_RULE = 'must consist of letters, digits, "-", "_" or ".", and must start and end with a letter or digit';
const MAX_NAME_LENGTH = 63;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_PREFIX_LENGTH = 253;

/** What is wrong with a label key, if anything. */
export function keyFault(key: string): string | undefined {
  const slash = key.indexOf('/');
  if (key.lastIndexOf('/') !== slash) return 'must contain at most one "/" (prefix/name)';
  const name = key.slice(slash + 1);
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  if (prefix !== undefined && (prefix.length > MAX_PREFIX_LENGTH || !SUBDOMAIN.test(prefix)))
    return 'prefix part must be a lower-case DNS subdomain of at most 253 characters';
  if (name === '') return 'name part must not be empty';
  if (name.length > MAX_NAME_LENGTH) return 'name part must have at most 63 characters';
  return NAME.test(name) ? undefined : `name part ${NAME_RULE}`;
}

/** What is wrong with a label value, if anything. */
export function labelValueFault(value: string): string | undefined {
  if (value.length > MAX_NAME_LENGTH) return 'must have at most 63 characters';
  return value === '' || NAME.test(value) ? undefined : NAME_RULE;
}

function* labelFaults(matchLabels: unknown, path: Path): Generator<Fault> {
  for (const [key, value] of Object.entries(fieldsOf(matchLabels))) {
    const ofKey = keyFault(key);
    if (ofKey !== undefined) yield invalid(path, key, ofKey);
    const ofValue = typeof value === 'string' ? labelValueFault(value) : undefined;
    if (ofValue !== undefined) yield invalid([...path, key], value, ofValue);
  }
}

function* listedValueFaults(values: readonly unknown[], path: Path): Generator<Fault> {
  for (const [index, value] of values.entries()) {
    const fault = typeof value === 'string' ? labelValueFault(value) : undefined;
    if (fault !== undefined) yield invalid([...path, index], value, fault);
  }
}

function* valuesFaults(requirement: { operator?: unknown; values?: unknown }, path: Path): Generator<Fault> {
  const { operator, values: sent } = requirement;
  const values = listOf(sent);
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length > 0) yield* listedValueFaults(values, path);
      else if (sent === undefined || Array.isArray(sent))
        yield required(path, `must contain at least one value when operator is ${operator}`);
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) yield forbidden(path, `may not be specified when operator is ${operator}`);
      break;
    default:
  }
}

function* expressionFaults(matchExpressions: unknown, path: Path): Generator<Fault> {
  for (const [index, one] of listOf(matchExpressions).entries()) {
    const here = [...path, index];
    const requirement = fieldsOf(one);
    const key = textOf(requirement.key);
    const fault = key === undefined ? undefined : keyFault(key);
    if (fault !== undefined) yield invalid([...here, 'key'], key, fault);
    yield* valuesFaults(requirement, [...here, 'values']);
  }
}

function* selectorFaults(selector: unknown, path: Path): Generator<Fault> {
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  yield* labelFaults(matchLabels, [...path, 'matchLabels']);
  yield* expressionFaults(matchExpressions, [...path, 'matchExpressions']);
}

/** Faults of keys, of values, and of operators with unsuitable values; at most as many as are looked for. The schema checks the types. */
export function labelSelectorFaults(selector: unknown, path: Path): Fault[] {
  const faults: Fault[] = [];
  for (const fault of selectorFaults(selector, path)) {
    faults.push(fault);
    if (faults.length === MAX_FOUND) break;
  }
  return faults;
}
