/** One exporter of the spec → its Job. */
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import type { ObjectMeta } from '../../../api/objects.js';
import { ARTIFACTS_VOLUME, type JobSpec } from '../../../api/passthrough.js';
import { controllerReference } from '../../../kube/owner.js';
import { NO_BACKUP, POD_ANNOTATIONS, POD_LABELS } from '../../../api/pod-metadata.js';
import type { Build } from './build.js';
import { labelsFor, podPullSecrets } from './builder-pod.js';
import { namesFor } from './object-names.js';
import { builtVolume, isFolderOfNode } from './volumes.js';

const objectOrEmpty = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

export interface ExportAttempt {
  /** Of the build. */
  id: string;
  index: number;
  /** That the files were built on. */
  node?: string;
}

/** A folder of a node has the files on that node only: the Pods of exporters run there, with what the builder Pod tolerates. */
function onNodeOf(build: Build, spec: JobSpec['template']['spec'], node: string | undefined): object {
  if (node === undefined || !isFolderOfNode(build)) return {};
  const affinity = objectOrEmpty(spec.affinity);
  const nodeAffinity = objectOrEmpty('nodeAffinity' in affinity ? affinity.nodeAffinity : undefined);
  const key = 'requiredDuringSchedulingIgnoredDuringExecution';
  const required = objectOrEmpty(key in nodeAffinity ? nodeAffinity[key] : undefined);
  const terms: unknown = 'nodeSelectorTerms' in required ? required.nodeSelectorTerms : undefined;
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  /* One of the terms must match, so each gets the name of the node. */
  const nodeSelectorTerms = (Array.isArray(terms) ? terms : [{}]).map(term => ({
    ...objectOrEmpty(term),
    matchFields,
  }));
  const tolerations: unknown = spec.tolerations;
  return {
    affinity: { ...affinity, nodeAffinity: { ...nodeAffinity, [key]: { nodeSelectorTerms } } },
    tolerations: [...(Array.isArray(tolerations) ? tolerations : []), ...(build.pod.tolerations ?? [])],
  };
}

export function exporterJob(meta: ObjectMeta, build: Build, { id, index, node }: ExportAttempt) {
  const exporter = build.exporters[index];
  if (!exporter) throw new Error(`there is no exporter ${index}`);
  const names = namesFor(meta.name);
  const labels = labelsFor(meta.name);
  const { template } = exporter;
  const podMetadata = objectOrEmpty(template.metadata);
  const podLabels = 'labels' in podMetadata ? objectOrEmpty(podMetadata.labels) : {};
  const podAnnotations = 'annotations' in podMetadata ? objectOrEmpty(podMetadata.annotations) : {};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: names.exporter(index),
      namespace: meta.namespace,
      labels: { ...NO_BACKUP, ...labels },
      annotations: { [ANNOTATIONS.exportIndex]: String(index), [ANNOTATIONS.build]: id },
      ownerReferences: [controllerReference(OS_ARTIFACT, { metadata: meta })],
    },
    spec: {
      ...exporter,
      backoffLimit: exporter.backoffLimit ?? 0,
      template: {
        ...template,
        metadata: {
          ...podMetadata,
          labels: { ...POD_LABELS, ...podLabels, ...labels },
          annotations: { ...POD_ANNOTATIONS, ...podAnnotations },
        },
        spec: {
          restartPolicy: 'Never',
          ...podPullSecrets(build),
          ...template.spec,
          ...onNodeOf(build, template.spec, node),
          volumes: [
            builtVolume(build, names),
            ...(template.spec.volumes ?? []).filter(({ name }) => name !== ARTIFACTS_VOLUME),
          ],
        },
      },
    },
  };
}
