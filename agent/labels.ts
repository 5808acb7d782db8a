/** What is known of a Kairos system → the labels and annotations of the contract, as one patch of the Node. */
import type { BootState } from '../api/node-agent.js';
import type { Identity } from './release.js';

/** Labels read from `KAIROS_*` keys. */
const FROM_FIELDS = {
  'kairos.io/id': 'ID',
  'kairos.io/family': 'FAMILY',
  'kairos.io/flavor': 'FLAVOR',
  'kairos.io/flavor-release': 'FLAVOR_RELEASE',
  'kairos.io/variant': 'VARIANT',
  'kairos.io/release': 'RELEASE',
  'kairos.io/model': 'MODEL',
  'kairos.io/arch': 'ARCH',
  'kairos.io/trusted-boot': 'TRUSTED_BOOT',
  'kairos.io/fips': 'FIPS',
  'kairos.io/software-version-prefix': 'SOFTWARE_VERSION_PREFIX',
  'kairos.io/software-version': 'SOFTWARE_VERSION',
} as const;

const ANNOTATIONS = {
  'kairos.io/name': 'NAME',
  'kairos.io/id-like': 'ID_LIKE',
  'kairos.io/init-version': 'INIT_VERSION',
  'kairos.io/version': 'VERSION',
  'kairos.io/bug-report-url': 'BUG_REPORT_URL',
  'kairos.io/home-url': 'HOME_URL',
} as const;

const MANAGED = 'kairos.io/managed';
const BOOT_STATE = 'kairos.io/boot-state';

type Values = Record<string, string | null>;
export interface NodePatch {
  metadata: { labels: Values; annotations: Values };
}

/** A label value may not be longer. */
const LONGEST = 63;

/** What a label may hold of a text: odd characters become "-", the ends are letters or digits. */
export function labelValue(text: string): string {
  const trim = (value: string) => value.replace(/^[-_.]+|[-_.]+$/g, '');
  return trim(trim(text.replace(/[^A-Za-z0-9_.-]/g, '-')).slice(0, LONGEST));
}

/** Names every key of the contract, null where it has no value: so one write says all, and nothing needs to be read first. */
export function nodePatch(identity: Identity | undefined, boot: BootState): NodePatch {
  /* A system known by os-release alone gets the two labels that need no release file, as documented. */
  const fields = identity?.from === 'kairos-release' ? identity.fields : {};
  const take = (table: Readonly<Record<string, string>>, shape: (text: string) => string): Values =>
    Object.fromEntries(Object.entries(table).map(([key, field]) => [key, shape(fields[field] ?? '') || null]));
  const known = identity !== undefined;
  const labels = {
    [MANAGED]: known ? 'true' : null,
    [BOOT_STATE]: known ? boot : null,
    ...take(FROM_FIELDS, labelValue),
  };
  return { metadata: { labels, annotations: take(ANNOTATIONS, text => text) } };
}

/** Every key that the agent may write on a Node. */
export const NODE_KEYS = {
  labels: [MANAGED, BOOT_STATE, ...Object.keys(FROM_FIELDS)],
  annotations: Object.keys(ANNOTATIONS),
} as const;
