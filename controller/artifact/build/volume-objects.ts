/** The objects behind the volumes of the builder Pod: ConfigMap, Secret and PersistentVolumeClaim. */
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import type { ObjectMeta } from '../../../api/objects.js';
import { NO_BACKUP } from '../../../api/pod-metadata.js';
import { shortHash } from '../../../api/resource-name.js';
import { controllerReference } from '../../../kube/owner.js';
import type { Build } from './build.js';
import { labelsFor } from './builder-pod.js';
import { namesFor } from './object-names.js';
import { configOf, CREDENTIALS_KEY, DOCKERFILE_KEY } from './volumes.js';

/** Content of the Secret: what was read from Secrets of the user, rendered and merged. */
export interface Rendered {
  dockerfile?: string;
  /** A config.json with the credentials for registries. */
  credentials?: string;
}

const metadata = (meta: ObjectMeta, name: string) => ({
  name,
  namespace: meta.namespace,
  labels: labelsFor(meta.name),
  ownerReferences: [controllerReference(OS_ARTIFACT, { metadata: meta })],
});

const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');

/** They are written again by each build; restored without their owner they would be in its way. The claim may be backed up: it has the files. */
const regenerated = (meta: ObjectMeta, name: string) => {
  const whole = metadata(meta, name);
  return { ...whole, labels: { ...NO_BACKUP, ...whole.labels } };
};

export const configMap = (meta: ObjectMeta, build: Build) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: regenerated(meta, namesFor(meta.name).config),
  data: configOf(build),
});

export const renderedSecret = (meta: ObjectMeta, { dockerfile, credentials }: Rendered) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: regenerated(meta, namesFor(meta.name).secret),
  data: {
    ...(dockerfile === undefined ? {} : { [DOCKERFILE_KEY]: base64(dockerfile) }),
    ...(credentials === undefined ? {} : { [CREDENTIALS_KEY]: base64(credentials) }),
  },
});

/** Undefined where the build uses a volume of the user. */
export const volumeClaim = (meta: ObjectMeta, { storage }: Build) =>
  storage.is === 'volume'
    ? undefined
    : {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          ...metadata(meta, namesFor(meta.name).claim),
          annotations: { [ANNOTATIONS.claimSpec]: shortHash(JSON.stringify(storage.spec)) },
        },
        spec: storage.spec,
      };

interface Annotated {
  annotations?: Readonly<Record<string, string>>;
}

/** Whether an existing claim was created for the same spec. The specs cannot be compared: the API server normalizes quantities and sets defaults. */
export function isClaimFor(wanted: Annotated, existing: Annotated): boolean {
  const [wantedHash, hash] = [wanted, existing].map(({ annotations }) => annotations?.[ANNOTATIONS.claimSpec]);
  return hash === undefined || hash === wantedHash;
}
