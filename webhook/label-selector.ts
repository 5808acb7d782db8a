/** What the API server wants of label selectors; in a custom resource nobody else looks. */
import { type Fault, forbidden, invalid, required } from './faults.js';
import { fieldsOf, listOf, type Path, textOf } from './unknown-json.js';

const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const NAME_LIMIT = 63;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const PREFIX_LIMIT = 253;

/** What is wrong with a label key, as the rest of a sentence. */
export function keyFault(key: string): string | undefined {
  const parts = key.split('/');
  const name = parts.pop() ?? '';
  const prefix = parts.shift();
  if (parts.length > 0) return 'must have one "/" at most: prefix/name';
  if (prefix !== undefined && (prefix.length > PREFIX_LIMIT || !SUBDOMAIN.test(prefix)))
    return 'the part before "/" must be a DNS name in lower case of at most 253 characters';
  if (name === '') return 'must have a name';
  if (name.length > NAME_LIMIT) return 'the name must have at most 63 characters';
  return NAME.test(name)
    ? undefined
    : 'the name must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit';
}

/** What is wrong with a label value. */
export function labelValueFault(value: string): string | undefined {
  if (value.length > NAME_LIMIT) return 'must have at most 63 characters';
  return value === '' || NAME.test(value)
    ? undefined
    : 'must be letters, digits, "-", "_" and ".", and begin and end with a letter or digit';
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
        ? [required(path, `must name at least one value when operator is ${requirement.operator}`)]
        : values.flatMap((value, index) => {
            const fault = typeof value === 'string' ? labelValueFault(value) : undefined;
            return fault === undefined ? [] : [invalid([...path, index], value, fault)];
          });
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? [] : [forbidden(path, `may not be given when operator is ${requirement.operator}`)];
    default:
      return [];
  }
}

/** Keys, values, and operators that do not go with their values. Shapes are the schema's business. */
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
