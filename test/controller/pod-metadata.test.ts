import { describe, expect, test } from '@jest/globals';
import { jobFor, preflightPodFor, pullPodFor } from '../../controller/nodeop/facts/manifests.js';
import { probePod } from '../../controller/upgrade/probe-pod.js';
import { nodeOp } from '../builders.js';
import { manifestsOf, IMAGE } from './artifact/samples.js';
import { upgrade } from './upgrade/samples.js';

const whole = nodeOp({ preflight: { command: ['check'] } });
const SETTINGS = { image: 'tool:1', sentinel: { image: 'agent:1', command: ['node', 'sentinel'] }, stateDir: '/state' };

type Metadata = { labels?: object; annotations?: object };
interface Manifest {
  kind: string;
  metadata: Metadata;
  spec: { template: { metadata: Metadata } };
}
const artifactObjects = (exporter: object): Manifest[] => {
  const template = { metadata: exporter, spec: { containers: [{ name: 'copy', image: 'copy:1' }] } };
  const spec = { image: { ref: IMAGE }, artifacts: { iso: true }, exporters: [{ template }] };
  return manifestsOf(spec) as Manifest[];
};
const exporterPod = (metadata: object) => artifactObjects(metadata).find(each => each.kind === 'Job')?.spec.template;

describe('Metadata of a Pod that the operator creates', () => {
  const { metadata, spec } = upgrade();
  const pods: [string, Metadata | undefined][] = [
    ['the command', jobFor(whole, 'n1', SETTINGS).spec.template.metadata],
    ['a preflight', preflightPodFor(whole, 'n1', SETTINGS).metadata],
    ['a pull', pullPodFor(whole, 'n1', SETTINGS).metadata],
    ['a probe', probePod(metadata, spec, { arch: 'amd64', node: 'n1' }).metadata],
    ['a build', artifactObjects({}).find(({ kind }) => kind === 'Pod')?.metadata],
    ['an export', exporterPod({})?.metadata],
  ];
  test.each(pods)('keeps injectors and autoscalers from %s', (_name, found) => {
    expect(found?.labels).toMatchObject({
      'sidecar.istio.io/inject': 'false',
      'kuma.io/sidecar-injection': 'disabled',
    });
    expect(found?.annotations).toMatchObject({
      'sidecar.istio.io/inject': 'false',
      'linkerd.io/inject': 'disabled',
      'consul.hashicorp.com/connect-inject': 'false',
      'vault.hashicorp.com/agent-inject': 'false',
      'karpenter.sh/do-not-disrupt': 'true',
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
    });
  });

  test('yields to the labels and annotations that the user gives an exporter', () => {
    const own = { labels: { 'sidecar.istio.io/inject': 'true' }, annotations: { 'linkerd.io/inject': 'enabled' } };
    expect(exporterPod(own)?.metadata).toMatchObject(own);
  });
});
