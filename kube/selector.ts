/** `metav1.LabelSelector`: which labels it picks, and how it is written in a query. */

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

function meets(labels: Labels, { key, operator, values = [] }: Requirement): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    /* Kubernetes' rule: who does not carry the label is not in the list either. */
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    /* From an object of a later version, perhaps: picking nothing does the least harm. */
    default:
      return false;
  }
}

const requirementsOf = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Requirement[] => [
  ...Object.entries(matchLabels).map(([key, value]) => ({ key, operator: 'In' as const, values: [value] })),
  ...matchExpressions,
];

/** An empty selector picks everything. */
export const matches = (selector: LabelSelector, labels: Labels = {}): boolean =>
  requirementsOf(selector).every(requirement => meets(labels, requirement));

const written = ({ key, operator, values = [] }: Requirement): string => {
  if (operator === 'Exists') return key;
  if (operator === 'DoesNotExist') return `!${key}`;
  if (operator === 'In' && values.length === 1) return `${key}=${values[0]}`;
  return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
};

/** As the query parameter `labelSelector` wants it. */
export const selectorText = (selector: LabelSelector): string => requirementsOf(selector).map(written).join(',');
