/** Label selectors (`metav1.LabelSelector`): matching labels, and the text form for queries. */

export interface Requirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: readonly string[];
}

export interface LabelSelector {
  matchLabels?: Readonly<Record<string, string>>;
  matchExpressions?: readonly Requirement[];
}

type Labels = Readonly<Record<string, string>>;

function isSatisfied(labels: Labels, { key, operator, values = [] }: Requirement): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    /* As in Kubernetes, an object without the label satisfies NotIn. */
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    /* An unknown operator, perhaps of a later version, matches nothing: that does the least harm. */
    default:
      return false;
  }
}

/** All requirements of a selector; each entry of `matchLabels` is an `In` with one value. */
export const requirementsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Requirement[] => [
  ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
  ...matchExpressions,
];

/** Whether the labels satisfy the selector; an empty selector matches everything. */
export const matches = (selector: LabelSelector, labels: Labels = {}): boolean =>
  requirementsOf(selector).every(requirement => isSatisfied(labels, requirement));

const requirementText = ({ key, operator, values = [] }: Requirement): string => {
  if (operator === 'Exists') return key;
  if (operator === 'DoesNotExist') return `!${key}`;
  if (operator === 'In' && values.length === 1) return `${key}=${values[0]}`;
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
};

/** The selector in the syntax of the query parameter `labelSelector`. */
export const selectorText = (selector: LabelSelector): string =>
  requirementsOf(selector).map(requirementText).join(',');
