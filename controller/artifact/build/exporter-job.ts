/** One exporter of the spec → its Job. */
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import type { ObjectMeta } from '../../../api/objects.js';
import { ARTIFACTS_VOLUME } from '../../../api/passthrough.js';
import { controllerReference } from '../../../kube/owner.js';
import { NO_BACKUP, POD_ANNOTATIONS, POD_LABELS } from '../../../api/pod-metadata.js';
import type { Build } from './build.js';
import { labelsFor } from './builder-pod.js';
import { namesFor } from './object-names.js';
import { builtVolume } from './volumes.js';

const objectOrEmpty = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

export function exporterJob(meta: ObjectMeta, build: Build, id: string, index: number) {
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
          ...(build.pullSecrets.length > 0 ? { imagePullSecrets: build.pullSecrets } : {}),
          ...template.spec,
          volumes: [
            builtVolume(build, names),
            ...(template.spec.volumes ?? []).filter(({ name }) => name !== ARTIFACTS_VOLUME),
          ],
        },
      },
    },
  };
}
