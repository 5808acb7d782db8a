import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import {
  isVirtualNode,
  VIRTUAL_NODE_LABEL_KEYS,
  VIRTUAL_NODE_LABELS,
  VIRTUAL_NODE_TAINTS,
} from '../../api/virtual-nodes.js';
import { isLinux } from '../../controller/cluster/node.js';
import { splitNodes } from '../../webhook/cluster-warnings/targets.js';
import { node } from '../builders.js';
import { repository } from '../cluster/paths.js';

const labels = [
  ...Object.entries(VIRTUAL_NODE_LABELS).flatMap(([key, values]) => values.map(value => [key, value] as const)),
  ...VIRTUAL_NODE_LABEL_KEYS.map(key => [key, 'any'] as const),
];

describe('A node is virtual', () => {
  test.each(labels)('with the label %s=%s, for controller and webhook alike', (key, value) => {
    const seen = node('n', { labels: { [key]: value } });
    expect(isLinux(seen)).toBe(false);
    expect(splitNodes([seen]).others).toEqual([seen]);
  });

  test.each(VIRTUAL_NODE_TAINTS)('with the taint %s, for controller and webhook alike', key => {
    const seen = { ...node('n'), spec: { taints: [{ key, value: 'x', effect: 'NoSchedule' }] } };
    expect(isLinux(seen)).toBe(false);
    expect(splitNodes([seen]).others).toEqual([seen]);
  });

  test.each([
    ['Karpenter with kwok', { 'kwok.x-k8s.io/node': 'fake' }],
    ['Kosmos', { 'kosmos.io/node': 'true' }],
    ['Admiralty', { 'virtual-kubelet.io/provider': 'admiralty' }],
    ['Krustlet', { type: 'krustlet' }],
  ])('that %s has made, without any taint', (_maker, seen) => expect(isVirtualNode({ labels: seen })).toBe(true));

  test('with the taint of Volcano Engine for serverless nodes', () => {
    expect(isVirtualNode({ taints: [{ key: 'vci.vke.volcengine.com/node-type', value: 'vci' }] })).toBe(true);
  });

  test('with the taint of Fargate, but not with that of another compute type', () => {
    const taint = (value: string) => ({ taints: [{ key: 'eks.amazonaws.com/compute-type', value }] });
    expect(isVirtualNode(taint('fargate'))).toBe(true);
    expect(isVirtualNode(taint('auto'))).toBe(false);
  });
});

describe('A node is real', () => {
  test.each<[string, Record<string, string>]>([
    ['without any label', {}],
    ['with the instance type of K3s', { 'node.kubernetes.io/instance-type': 'k3s' }],
    ['with another type', { type: 'worker' }],
    ['on a managed node group of EKS', { 'eks.amazonaws.com/compute-type': 'ec2' }],
    ['when vCluster shows the node itself', { 'vcluster.loft.sh/fake-node': 'false' }],
  ])('%s', (_sentence, seen) => expect(isVirtualNode({ labels: seen })).toBe(false));

  test('with the taints of a control plane', () => {
    expect(isVirtualNode({ taints: [{ key: 'node-role.kubernetes.io/control-plane' }] })).toBe(false);
  });
});

test('The agent does not run on the nodes that the operator knows as virtual by their labels', () => {
  const file = parse(readFileSync(join(repository, 'manifests/default/agent.yaml'), 'utf8')) as {
    spec: { template: { spec: object } };
  };
  expect(file.spec.template.spec).toMatchObject({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                ...Object.entries(VIRTUAL_NODE_LABELS).map(([key, values]) => ({ key, operator: 'NotIn', values })),
                ...VIRTUAL_NODE_LABEL_KEYS.map(key => ({ key, operator: 'DoesNotExist' })),
              ],
            },
          ],
        },
      },
    },
  });
});
