/** Names may be as long as Kubernetes lets them, and alike as far as anybody reads; no operation suffers, and none is taken for another. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP, NODE_OP_UPGRADE } from '../../api/kinds.js';
import { ANNOTATIONS, CONTAINERS, LABELS } from '../../api/names.js';
import type { NodeOp, NodeOpUpgrade } from '../../api/objects.js';
import { JOBS, PODS } from '../../kube/resources.js';
import { fakeCluster, type FakeCluster } from '../fakes/cluster/cluster.js';
import type { PodObject } from '../fakes/cluster/object-types.js';
import { isLabelValue } from '../fakes/cluster/name-validation.js';
import { nodeOp, nodeOpUpgrade } from '../fakes/cluster/object-builders.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { collectionOf } from '../fakes/kube.js';

const LIMIT = 253;

/** As long as a name may be, with a dot or a dash at every place in turn where somebody may cut it. */
function longest(first: string, mark: string, every: number): string {
  const letters = Array.from({ length: LIMIT - first.length }, (_, index) => ((index + 1) % every === 0 ? mark : 'x'));
  return `${first}${letters.join('')}`.replace(/[^a-z0-9]+$/, tail => 'z'.repeat(tail.length));
}

const PLAIN = longest('op', 'y', 2);
const DOTTED = longest('a', '.', 2);
const DASHED = longest('a', '-', 2);
const AT_50 = `${'a'.repeat(49)}.${'b'.repeat(60)}`;
const AT_200 = `${`${'c'.repeat(49)}.`.repeat(4)}${'d'.repeat(53)}`;
const TWIN = [`${PLAIN.slice(0, LIMIT - 1)}1`, `${PLAIN.slice(0, LIMIT - 1)}2`] as const;

/** What was ever made on behalf of an operation, once each. */
function made({ api }: FakeCluster) {
  const objects = [JOBS, PODS].flatMap(resource => api.store.history(collectionOf(resource)));
  const ours = objects.filter(
    ({ type, object: { metadata } }) =>
      type === 'ADDED' && [LABELS.nodeOpUid, LABELS.probe].some(key => metadata.labels?.[key] !== undefined),
  );
  return ours.map(({ object }) => object as object as PodObject);
}

/** A Job's Pods are named by its controller: after the Job, cut where that is too long. */
const namedByUs = (object: PodObject) => !object.metadata.ownerReferences?.some(({ kind }) => kind === JOBS.kind);

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function badIn(cluster: FakeCluster): string[] {
  return made(cluster).flatMap(object => {
    const { name, labels = {}, annotations } = object.metadata;
    const node = annotations?.[ANNOTATIONS.nodeName];
    const place = object.spec.nodeName;
    return [
      ...(namedByUs(object) && !DNS_LABEL.test(name) ? [`name ${name}`] : []),
      ...Object.values(labels).flatMap(value => (isLabelValue(value) ? [] : [`label ${value}`])),
      ...(node !== undefined && place !== undefined && node !== place
        ? [`${name} is for ${node} and on ${place}`]
        : []),
    ];
  });
}

/** Starts of the command, by node. */
const starts = ({ containerRuns }: FakeCluster) =>
  containerRuns
    .filter(({ container }) => container === CONTAINERS.work)
    .map(({ node }) => node)
    .toSorted();

async function told(nodes: readonly string[], run: (cluster: FakeCluster) => void): Promise<FakeCluster> {
  const cluster = fakeCluster({
    nodes: nodes.map((name, index) => ({ name, controlPlane: index === 0 })),
    images: { 'registry.example/kairos:2': { release: KAIROS_RELEASE.replaceAll('v3.5.0', 'v3.6.0') } },
  });
  await cluster.start();
  run(cluster);
  await cluster.runUntilSettled({ then: 5 });
  return cluster;
}

const named = (name: string, namespace = 'default', spec: object = {}) => {
  const object = nodeOp(name, spec);
  return { ...object, metadata: { ...object.metadata, namespace } };
};

const phases = ({ api }: FakeCluster) =>
  [...api.all<NodeOp>(NODE_OP), ...api.all<NodeOpUpgrade>(NODE_OP_UPGRADE)].map(({ status }) => status?.phase);

const full = { cordon: true, rebootOnSuccess: true, drainOptions: { enabled: true }, preflight: { command: ['look'] } };

describe('an operation runs to its end, and all that is made for it has a name', () => {
  const ALL = { PLAIN, DOTTED, DASHED, AT_50, AT_200 };

  test.each(Object.entries(ALL))('a NodeOp with the name %s', async (_word, name) => {
    const cluster = await told(['n1', 'n2'], each => void each.apply(NODE_OP, named(name, 'default', full)));
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed'], []]);
    expect(cluster.api.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Started', 'RebootAsked', 'Done']),
    );
  });

  test.each(Object.entries(ALL))('a NodeOpUpgrade with the name %s', async (_word, name) => {
    const cluster = await told(['n1'], each => void each.apply(NODE_OP_UPGRADE, nodeOpUpgrade(name)));
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(cluster.api.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Probing', 'Done', 'AllDone']),
    );
  });

  test.each(Object.entries(ALL))('nodes with the name %s', async (_word, name) => {
    const cluster = await told([name, 'n2'], each => void each.apply(NODE_OP, named(PLAIN, 'default', full)));
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed'], []]);
    expect(cluster.api.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Cordoned', 'Uncordoned', 'Rebooted']),
    );
  });

  test.each(['0', '7-up', 'n'.repeat(63)])('in the namespace %s', async namespace => {
    const cluster = await told(['n1'], each => void each.apply(NODE_OP, named('op', namespace, full)));
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed'], []]);
  });
});

describe('no two are taken for one', () => {
  test('operations of one name in two namespaces, on the same nodes at once', async () => {
    const cluster = await told(['n1', 'n2'], each => {
      for (const namespace of ['day', 'night']) each.apply(NODE_OP, named('same', namespace, full));
    });
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(starts(cluster)).toEqual(['n1', 'n1', 'n2', 'n2']);
  });

  test('operations whose long names differ in their last letter', async () => {
    const cluster = await told(['n1', 'n2'], each => {
      for (const name of TWIN) each.apply(NODE_OP, named(name, 'default', full));
    });
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(starts(cluster)).toEqual(['n1', 'n1', 'n2', 'n2']);
  });

  test('nodes whose long names differ in their last letter', async () => {
    const cluster = await told(TWIN, each => void each.apply(NODE_OP, named('op', 'default', full)));
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed'], []]);
    expect(starts(cluster)).toEqual(TWIN);
  });

  test('names that give the same words when they are put together', async () => {
    const cluster = await told(['b-c', 'c'], each => {
      for (const name of ['a', 'a-b']) each.apply(NODE_OP, named(name, 'default', full));
    });
    expect([phases(cluster), badIn(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(starts(cluster)).toEqual(['b-c', 'b-c', 'c', 'c']);
  });
});
