/** The API server's validation of names and labels. */
import { KubeError } from '../../../kube/errors.js';

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
const NAME_LIMIT = 253;

const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;
const LABEL_VALUE_LIMIT = 63;

/** A suffix like those that the API server appends to `generateName`. */
const GENERATED_SUFFIX = 'x7f2k';

interface Named {
  metadata: { name?: string; generateName?: string; labels?: Record<string, string> };
}

export const isName = (name: string): boolean => name.length <= NAME_LIMIT && SUBDOMAIN.test(name);
export const isLabelValue = (value: string): boolean => value.length <= LABEL_VALUE_LIMIT && LABEL_VALUE.test(value);

export function validateNames(body: object): void {
  const { name, generateName = '', labels = {} } = (body as Named).metadata;
  const full = name ?? `${generateName}${GENERATED_SUFFIX}`;
  if (!isName(full)) throw new KubeError(422, `metadata.name: Invalid value: "${full}"`, 'Invalid');
  const wrong = Object.entries(labels).find(([, value]) => !isLabelValue(value));
  if (wrong) throw new KubeError(422, `metadata.labels: Invalid value: "${wrong[1]}"`, 'Invalid');
}
