/** What the builder Pod finds in its volumes: configuration, the rendered definition and credentials, a place to build in. */
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import type { ObjectMeta } from '../../../api/objects.js';
import { shortHash } from '../../../api/resource-name.js';
import { controllerReference } from '../../../kube/owner.js';
import type { Build } from './build.js';
import { labelsFor } from './builder-pod.js';
import { namesFor } from './object-names.js';
import { configOf, CREDENTIALS_KEY, DEFINITION_KEY } from './volumes.js';

/** What had to be read, put together, for the Secret. */
export interface Rendered {
  definition?: string;
  /** A config.json for registries. */
  credentials?: string;
}

const metadata = (meta: ObjectMeta, name: string) => ({
  name,
  namespace: meta.namespace,
  labels: labelsFor(meta.name),
  ownerReferences: [controllerReference(OS_ARTIFACT, { metadata: meta })],
});

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');

export const configMap = (meta: ObjectMeta, build: Build) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: metadata(meta, namesFor(meta.name).config),
  data: configOf(build),
});

export const renderedSecret = (meta: ObjectMeta, { definition, credentials }: Rendered) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: metadata(meta, namesFor(meta.name).secret),
  data: {
    ...(definition === undefined ? {} : { [DEFINITION_KEY]: base64(definition) }),
    ...(credentials === undefined ? {} : { [CREDENTIALS_KEY]: base64(credentials) }),
  },
});

/** Undefined: the user has a volume to build in. */
export const claim = (meta: ObjectMeta, { place }: Build) =>
  place.is === 'volume'
    ? undefined
    : {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          ...metadata(meta, namesFor(meta.name).claim),
          annotations: { [ANNOTATIONS.claimSpec]: shortHash(JSON.stringify(place.spec)) },
        },
        spec: place.spec,
      };

interface Annotated {
  annotations?: Readonly<Record<string, string>>;
}

/** Was it made for the same spec? The API server writes quantities and defaults in its own words: the specs cannot be compared. */
export function isClaimFor(wanted: Annotated, found: Annotated): boolean {
  const [of, was] = [wanted, found].map(({ annotations }) => annotations?.[ANNOTATIONS.claimSpec]);
  return was === undefined || was === of;
}
