/** What a user wants done with what was built → a Job. */
import type { ObjectMeta } from '../../../api/objects.js';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS } from '../../../api/names.js';
import { controllerReference } from '../../../kube/owner.js';
import type { Build } from './build.js';
import { labelsFor } from './builder-pod.js';
import { namesFor } from './object-names.js';
import { builtVolume } from './volumes.js';

type Exporter = Build['exporters'][number];

/** Does it bring a volume of the name that is ours? It is replaced. */
export const bringsArtifacts = ({ template }: Exporter): boolean =>
  template.spec.volumes?.some(({ name }) => name === 'artifacts') ?? false;

const labelled = (of: unknown) => (typeof of === 'object' && of !== null ? of : {});

export function exporterJob(meta: ObjectMeta, build: Build, id: string, index: number) {
  const exporter = build.exporters[index];
  if (!exporter) throw new Error(`there is no exporter ${index}`);
  const names = namesFor(meta.name);
  const labels = labelsFor(meta.name);
  const { template } = exporter;
  const own = labelled(template.metadata);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: names.exporter(index),
      namespace: meta.namespace,
      labels,
      annotations: { [ANNOTATIONS.exportIndex]: String(index), [ANNOTATIONS.build]: id },
      ownerReferences: [controllerReference(OS_ARTIFACT, { metadata: meta })],
    },
    spec: {
      ...exporter,
      backoffLimit: exporter.backoffLimit ?? 0,
      template: {
        ...template,
        metadata: { ...own, labels: { ...('labels' in own ? labelled(own.labels) : {}), ...labels } },
        spec: {
          restartPolicy: 'Never',
          ...(build.pullSecrets.length > 0 ? { imagePullSecrets: build.pullSecrets } : {}),
          ...template.spec,
          volumes: [
            builtVolume(build, names),
            ...(template.spec.volumes ?? []).filter(({ name }) => name !== 'artifacts'),
          ],
        },
      },
    },
  };
}
