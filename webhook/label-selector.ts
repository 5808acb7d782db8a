/** Validates label selectors as the API server does for built-in kinds; it does not check those of custom resources. */
import { type Fault, forbidden, invalid, required } from './faults.js';
import { fieldsOf, listOf, type Path, textOf } from './unknown-json.js';

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const NAME_RULE = 'must consist of letters, digits, "-", "_" or ".", and must start and end with a letter or digit';
const MAX_NAME_LENGTH = 63;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const MAX_PREFIX_LENGTH = 253;

/** What is wrong with a label key, if anything. */
export function keyFault(key: string): string | undefined {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  const prefix = parts.shift();
  if (parts.length > 0) return 'must contain at most one "/" (prefix/name)';
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

function labelFaults(matchLabels: unknown, path: Path): Fault[] {
  return Object.entries(fieldsOf(matchLabels)).flatMap(([key, value]) => {
    const ofKey = keyFault(key);
    const ofValue = typeof value === 'string' ? labelValueFault(value) : undefined;
    return [
      ...(ofKey === undefined ? [] : [invalid(path, key, ofKey)]),
      ...(ofValue === undefined ? [] : [invalid([...path, key], value, ofValue)]),
    ];
  });
}

function valuesFaults(requirement: { operator?: unknown; values?: unknown }, path: Path): Fault[] {
  const values = listOf(requirement.values);
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      return values.length === 0 && (requirement.values === undefined || Array.isArray(requirement.values))
        ? [required(path, `must contain at least one value when operator is ${requirement.operator}`)]
        : values.flatMap((value, index) => {
            const fault = typeof value === 'string' ? labelValueFault(value) : undefined;
            return fault === undefined ? [] : [invalid([...path, index], value, fault)];
          });
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [forbidden(path, `may not be specified when operator is ${requirement.operator}`)];
    default:
      return [];
  }
}

/** Faults of keys, of values, and of operators with unsuitable values. The schema checks the types. */
export function labelSelectorFaults(selector: unknown, path: Path): Fault[] {
  const { matchLabels, matchExpressions } = fieldsOf(selector);
  const ofExpressions = listOf(matchExpressions).flatMap((one, index) => {
    const here = [...path, 'matchExpressions', index];
    const requirement = fieldsOf(one);
    const key = textOf(requirement.key);
    const fault = key === undefined ? undefined : keyFault(key);
    return [
      ...(fault === undefined ? [] : [invalid([...here, 'key'], key, fault)]),
      ...valuesFaults(requirement, [...here, 'values']),
    ];
  });
  return [...labelFaults(matchLabels, [...path, 'matchLabels']), ...ofExpressions];
}
