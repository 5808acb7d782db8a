/** The Pod that builds: one init container per step, run in order. */
import { OS_ARTIFACT } from '../../../api/kinds.js';
import { ANNOTATIONS, ARCHITECTURE_LABEL, CONTAINERS, LABELS } from '../../../api/names.js';
import type { ObjectMeta } from '../../../api/objects.js';
import { boundedName, boundedLabelValue } from '../../../api/resource-name.js';
import { controllerReference } from '../../../kube/owner.js';
import { POD_ANNOTATIONS, POD_LABELS } from '../../../api/pod-metadata.js';
import type { Build } from './build.js';
import { containerOf, type Step, type Tools } from './container.js';
import { imageSteps } from './image-steps.js';
import { kindSteps } from './kind-steps.js';
import { namesFor } from './object-names.js';
import { CLEAR_ARTIFACTS, LIST_ARTIFACTS } from './scripts/artifacts-folder.js';
import { artifactsMount, volumesOf } from './volumes.js';

/** A Pod needs one container beside its init containers: this one runs last and lists the files. */
const listStep = (build: Build): Step => ({
  name: CONTAINERS.listArtifacts,
  runs: 'tool',
  script: LIST_ARTIFACTS,
  mounts: [{ ...artifactsMount(build), readOnly: true }],
});

/** A volume of the user is not cleared: it may contain files of others. */
const clearSteps = (build: Build): Step[] =>
  build.storage.is === 'volume'
    ? []
    : [{ name: 'clear-artifacts', runs: 'tool', script: CLEAR_ARTIFACTS, mounts: [artifactsMount(build)] }];

const stepsOf = (build: Build, tools: Tools): Step[] => [...imageSteps(build, tools.kairosInit), ...kindSteps(build)];

/** The name contains a hash of the build id, so that each build of an object has a Pod of its own. */
const podName = ({ name, uid }: ObjectMeta, id: string): string => boundedName(name, uid, id);

export const labelsFor = (artifact: string) => ({ [LABELS.artifact]: boundedLabelValue(artifact) });

/** The images of the steps and of importers may be in the registry that the build has credentials for. */
export function podPullSecrets({ pullSecrets, credentials }: Build): { imagePullSecrets?: { name: string }[] } {
  const names = new Set([...pullSecrets, ...(credentials ? [credentials] : [])].map(({ name }) => name));
  return names.size === 0 ? {} : { imagePullSecrets: [...names].map(name => ({ name })) };
}

/** auroraboot takes the boot loader of a unified kernel image from its own image, which has those of its own architecture only. */
function nodeSelectorOf({ pod, arch, outputs }: Build): { nodeSelector?: Record<string, string> } {
  const isFixed = arch !== undefined && outputs.some(output => output.isNative === true);
  const fixed = isFixed ? { ...pod.nodeSelector, [ARCHITECTURE_LABEL]: arch } : pod.nodeSelector;
  return fixed ? { nodeSelector: fixed } : {};
}

export interface BuildAttempt {
  /** Of the build. */
  id: string;
  /** Number of the builder Pod within the build. */
  attempt: number;
}

export function builderPod(meta: ObjectMeta, build: Build, { id, attempt }: BuildAttempt, tools: Tools) {
  const { pod, importers } = build;
  const before = clearSteps(build);
  const steps = stepsOf(build, tools);
  const count = before.length + importers.length + steps.length + 1;
  const toContainer = (step: Step) => containerOf(step, build, { tools, count });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(meta, id),
      namespace: meta.namespace,
      labels: { ...POD_LABELS, ...pod.labels, ...labelsFor(meta.name) },
      annotations: {
        ...POD_ANNOTATIONS,
        ...pod.annotations,
        [ANNOTATIONS.build]: id,
        [ANNOTATIONS.attempt]: String(attempt),
      },
      ownerReferences: [controllerReference(OS_ARTIFACT, { metadata: meta })],
    },
    spec: {
      restartPolicy: 'Never',
      /* A build that is deleted has nothing to save. */
      terminationGracePeriodSeconds: 5,
      activeDeadlineSeconds: tools.deadlineSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...podPullSecrets(build),
      ...nodeSelectorOf(build),
      ...(pod.tolerations ? { tolerations: pod.tolerations } : {}),
      ...(pod.affinity ? { affinity: pod.affinity } : {}),
      initContainers: [...before.map(toContainer), ...importers, ...steps.map(toContainer)],
      containers: [toContainer(listStep(build))],
      volumes: volumesOf(build, namesFor(meta.name), tools.scratchGiB),
    },
  };
}
