/** Namespaces with the limits, quotas and policies of a company, and the operations in them. */
import type { Json } from '../kubectl.js';
import { nodeStatuses, type Operator } from './operator.js';

export const namespace = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } },
});

/** Containers without memory settings get a default; those below or above the range are refused. */
export const memoryRange = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'memory', namespace: name },
  spec: {
    limits: [
      {
        type: 'Container',
        min: { memory: '96Mi' },
        max: { memory: '256Mi' },
        default: { memory: '160Mi' },
        defaultRequest: { memory: '96Mi' },
      },
    ],
  },
});

export const quota = (name: string, hard: Record<string, string>): object => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name: 'company', namespace: name },
  spec: { hard },
});

/** Refuses every Job of the namespace. */
export const policyAgainstJobs = (name: string, message: string): object[] => [
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: 'no-jobs' },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'], scope: '*' },
        ],
      },
      validations: [{ expression: 'false', message }],
    },
  },
  {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name: 'no-jobs' },
    spec: {
      policyName: 'no-jobs',
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } },
    },
  },
];

/** The quota is enforced from when its status has the limits. */
export async function applyQuota({ kubectl }: Operator, name: string, hard: Record<string, string>): Promise<void> {
  await kubectl.apply(quota(name, hard));
  const isEnforced = ({ status }: Json) => JSON.stringify(status?.['hard']) === JSON.stringify(hard);
  await kubectl.waitForObject(['resourcequota', 'company', '-n', name], isEnforced, 30);
}

/** An operation of the namespace. */
export function operationIn(operator: Operator, namespaceName: string, name: string) {
  const where = ['nodeop', name, '-n', namespaceName];
  const { kubectl } = operator;
  return {
    apply: (spec: object) =>
      kubectl.apply({
        apiVersion: 'operator.kairos.io/v1alpha1',
        kind: 'NodeOp',
        metadata: { name, namespace: namespaceName },
        spec: { image: 'localhost/busybox:1', ...spec },
      }),
    /** What a person reads. */
    table: () => kubectl.do(['get', ...where]),
    end: (seconds = 60) =>
      kubectl.waitForObject(
        where,
        ({ status }) => ['Completed', 'Failed'].includes(String(status?.['phase'])),
        seconds,
      ),
    waitForNode: async (
      node: string,
      isWanted: (entry: ReturnType<typeof nodeStatuses>[string]) => boolean,
      seconds = 30,
    ) => {
      const isReached = (object: Json) => {
        const entry = nodeStatuses(object)[node];
        return entry !== undefined && isWanted(entry);
      };
      return nodeStatuses(await kubectl.waitForObject(where, isReached, seconds))[node];
    },
    pods: async (): Promise<Json[]> =>
      (await kubectl.getJson('pods', '-n', namespaceName, '-l', `kairos.io/nodeop=${name}`))?.items ?? [],
  };
}
