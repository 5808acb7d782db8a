/** Turns the identity of a Kairos host into its documented labels and annotations, as one patch of the Node. */
import type { BootState } from '../api/node-agent.js';
import type { Identity } from './release.js';

/** Labels and the `KAIROS_*` keys (without prefix) they are read from. */
const LABEL_FIELDS = {
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

const ANNOTATION_FIELDS = {
  'kairos.io/name': 'NAME',
  'kairos.io/id-like': 'ID_LIKE',
  'kairos.io/init-version': 'INIT_VERSION',
  'kairos.io/version': 'VERSION',
  'kairos.io/bug-report-url': 'BUG_REPORT_URL',
  'kairos.io/home-url': 'HOME_URL',
} as const;

const MANAGED = 'kairos.io/managed';
const BOOT_STATE = 'kairos.io/boot-state';

/** A key with null is removed by the patch. */
type Values = Record<string, string | null>;
export interface NodePatch {
  metadata: { labels: Values; annotations: Values };
}

/** Kubernetes: Labels and Selectors, "Syntax and character set". */
const MAX_LABEL_LENGTH = 63;

/** Makes a valid label value of any text: other characters become "-", and it starts and ends with a letter or digit. May be empty. */
export function sanitizeLabelValue(text: string): string {
  const allowed = text.replace(/[^A-Za-z0-9_.-]/g, '-').replace(/^[-_.]+/, '');
  /* The end is trimmed after the cut: that pattern costs the square of its text. */
  return allowed.slice(0, MAX_LABEL_LENGTH).replace(/[-_.]+$/, '');
}

/**
 * The merge patch for the Node; without an identity it removes everything. It names every key that the agent owns, null where there is no
 * value, so that one write is complete and the Node need not be read first.
 */
export function nodePatch(identity: Identity | undefined, boot: BootState): NodePatch {
  /* A host that only the ID of os-release identifies gets just the two labels that need no keys, as documented. */
  const fields = identity === undefined || identity.isByName ? {} : identity.fields;
  const valuesOf = (keys: Readonly<Record<string, string>>, format: (text: string) => string): Values =>
    Object.fromEntries(Object.entries(keys).map(([key, field]) => [key, format(fields[field] ?? '') || null]));
  const isKairos = identity !== undefined;
  const labels = {
    [MANAGED]: isKairos ? 'true' : null,
    [BOOT_STATE]: isKairos ? boot : null,
    ...valuesOf(LABEL_FIELDS, sanitizeLabelValue),
  };
  return { metadata: { labels, annotations: valuesOf(ANNOTATION_FIELDS, text => text) } };
}

/** Every key that the agent may write on a Node. The admission policy for agents allows exactly these. */
export const NODE_KEYS = {
  labels: [MANAGED, BOOT_STATE, ...Object.keys(LABEL_FIELDS)],
  annotations: Object.keys(ANNOTATION_FIELDS),
} as const;
