/** Pods and Jobs for the tests of the fake kubelet and Job controller. */
import { PODS } from '../../../kube/resources.js';
import { fakeCluster, type FakeCluster } from './cluster.js';
import type { ClusterOptions } from './object-builders.js';
import type { ContainerStatus, PodObject } from './object-types.js';

export const AT = { name: 'p', namespace: 'default' };
export const IMAGE = 'registry.example/tool:1';

export const container = (name: string, more: object = {}) => ({ name, image: IMAGE, ...more });

export function createPod({ api }: FakeCluster, spec: object): void {
  api.create(PODS, { metadata: AT, spec: { nodeName: 'n1', restartPolicy: 'Never', ...spec } }, 'default');
}

export const podIn = ({ api }: FakeCluster, at = AT): PodObject => api.get<PodObject>(PODS, at);
const summary = ({ name, state }: ContainerStatus) =>
  `${name} ${Object.keys(state).join()} ${state.waiting?.reason ?? state.terminated?.exitCode ?? ''}`.trim();
export const statuses = ({ status }: PodObject) => status.containerStatuses?.map(summary);
export const initStatuses = ({ status }: PodObject) => status.initContainerStatuses?.map(summary);

export const cluster = (options: Partial<ClusterOptions> = {}) => fakeCluster({ nodes: [{ name: 'n1' }], ...options });

/** Lasts for the seconds that are the value of its name, for example `for-5`, and fails as `fail-3` with exit code 3. */
export const byName: ClusterOptions['behavior'] = ({ container: { name } }) => {
  const [, what, number] = /^(for|fail)-(\d+)$/.exec(name) ?? [];
  if (what === 'for') return { seconds: Number(number) };
  return what === 'fail' ? { seconds: 1, exitCode: Number(number) } : undefined;
};

export const work = (name: string) => ({ nodeName: 'n1', restartPolicy: 'Never', containers: [container(name)] });
export const job = (spec: object, name = 'j') => ({ metadata: { name, namespace: 'default' }, spec });
