/** The Pod that builds: one step after the other, each of which says what it made. */
import type { ObjectMeta } from '../../../api/objects.js';
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS, LABELS } from '../../../api/names.js';
import { boundedName, boundedLabelValue } from '../../../api/resource-name.js';
import { controllerReference } from '../../../kube/owner.js';
import type { Build } from './build.js';
import { containerOf, type Step, type Tools } from './container.js';
import { imageStage } from './image-stage.js';
import { namesFor } from './object-names.js';
import { outputSteps } from './outputs.js';
import { artifactsMount, volumesOf } from './volumes.js';

/** The last step: a Pod must have one beside those that run one after the other. Shows what there is. */
export const LIST_STEP = 'list-artifacts';

const listStep = (build: Build): Step => ({
  name: LIST_STEP,
  runs: 'tool',
  script: 'ls -l /artifacts',
  mounts: [{ ...artifactsMount(build), readOnly: true }],
});

/** In a claim of ours nothing of an earlier build may be taken for one of this. */
function clearing(build: Build): Step[] {
  if (build.place.is === 'volume') return [];
  const script = 'find /artifacts -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +';
  return [{ name: 'clear-artifacts', runs: 'tool', script, mounts: [artifactsMount(build)] }];
}

export const stepsOf = (build: Build, tools: Tools): Step[] => [
  ...imageStage(build, tools.kairosInit),
  ...outputSteps(build),
];

/** Another build of the same object is another Pod. */
export const podName = ({ name, uid }: ObjectMeta, id: string): string => boundedName(name, uid, id);

export const labelsFor = (artifact: string) => ({ [LABELS.artifact]: boundedLabelValue(artifact) });

export interface Which {
  /** Of the build. */
  id: string;
  /** How many builder Pods it has had, with this one. */
  attempt: number;
}

export function builderPod(meta: ObjectMeta, build: Build, { id, attempt }: Which, tools: Tools) {
  const { pod, importers } = build;
  const before = clearing(build);
  const steps = stepsOf(build, tools);
  const inside = { tools, among: before.length + importers.length + steps.length + 1 };
  const made = (step: Step) => containerOf(step, build, inside);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(meta, id),
      namespace: meta.namespace,
      labels: { ...pod.labels, ...labelsFor(meta.name) },
      annotations: { ...pod.annotations, [ANNOTATIONS.build]: id, [ANNOTATIONS.attempt]: String(attempt) },
      ownerReferences: [controllerReference(OS_ARTIFACT, { metadata: meta })],
    },
    spec: {
      restartPolicy: 'Never',
      /* A build that nobody wants any more has nothing to save. */
      terminationGracePeriodSeconds: 5,
      activeDeadlineSeconds: tools.deadlineSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(build.pullSecrets.length > 0 ? { imagePullSecrets: build.pullSecrets } : {}),
      ...(pod.nodeSelector ? { nodeSelector: pod.nodeSelector } : {}),
      ...(pod.tolerations ? { tolerations: pod.tolerations } : {}),
      ...(pod.affinity ? { affinity: pod.affinity } : {}),
      initContainers: [...before.map(made), ...importers, ...steps.map(made)],
      containers: [made(listStep(build))],
      volumes: volumesOf(build, namesFor(meta.name)),
    },
  };
}
