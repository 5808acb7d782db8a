/** Operations and nodes with the longest allowed names, and with names that are nearly equal, work and are never confused. */
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

/** A name of the maximum length, with a dot or a dash at every place where it may be cut. */
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

/** Every Job and Pod that was ever created for an operation. */
function createdObjects({ api }: FakeCluster) {
  const objects = [JOBS, PODS].flatMap(resource => api.store.history(collectionOf(resource)));
  const ours = objects.filter(
    ({ type, object: { metadata } }) =>
      type === 'ADDED' && [LABELS.nodeOpUid, LABELS.probe].some(key => metadata.labels?.[key] !== undefined),
  );
  return ours.map(({ object }) => object as object as PodObject);
}

/** The Pods of a Job are named by the Job controller, which truncates long names. */
const isNamedByOperator = (object: PodObject) =>
  !object.metadata.ownerReferences?.some(({ kind }) => kind === JOBS.kind);

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

function invalidNames(cluster: FakeCluster): string[] {
  return createdObjects(cluster).flatMap(object => {
    const { name, labels = {}, annotations } = object.metadata;
    const node = annotations?.[ANNOTATIONS.nodeName];
    const place = object.spec.nodeName;
    return [
      ...(isNamedByOperator(object) && !DNS_LABEL.test(name) ? [`name ${name}`] : []),
      ...Object.values(labels).flatMap(value => (isLabelValue(value) ? [] : [`label ${value}`])),
      ...(node !== undefined && place !== undefined && node !== place
        ? [`${name} is for ${node} and on ${place}`]
        : []),
    ];
  });
}

/** The nodes on which the command was started, once for each start. */
const starts = ({ containerRuns }: FakeCluster) =>
  containerRuns
    .filter(({ container }) => container === CONTAINERS.work)
    .map(({ node }) => node)
    .toSorted();

async function runOperation(nodes: readonly string[], run: (cluster: FakeCluster) => void): Promise<FakeCluster> {
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

describe('an operation completes, and all objects created for it have valid names', () => {
  const ALL = { PLAIN, DOTTED, DASHED, AT_50, AT_200 };

  test.each(Object.entries(ALL))('for a NodeOp with the name %s', async (_word, name) => {
    const cluster = await runOperation(['n1', 'n2'], each => void each.apply(NODE_OP, named(name, 'default', full)));
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed'], []]);
    expect(cluster.api.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Started', 'RebootAsked', 'Done']),
    );
  });

  test.each(Object.entries(ALL))('for a NodeOpUpgrade with the name %s', async (_word, name) => {
    const cluster = await runOperation(['n1'], each => void each.apply(NODE_OP_UPGRADE, nodeOpUpgrade(name)));
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(cluster.api.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Probing', 'Done', 'AllDone']),
    );
  });

  test.each(Object.entries(ALL))('on nodes with the name %s', async (_word, name) => {
    const cluster = await runOperation([name, 'n2'], each => void each.apply(NODE_OP, named(PLAIN, 'default', full)));
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed'], []]);
    expect(cluster.api.events.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['Cordoned', 'Uncordoned', 'Rebooted']),
    );
  });

  test.each(['0', '7-up', 'n'.repeat(63)])('in the namespace %s', async namespace => {
    const cluster = await runOperation(['n1'], each => void each.apply(NODE_OP, named('op', namespace, full)));
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed'], []]);
  });
});

describe('names that are nearly equal', () => {
  test('keep operations of one name in two namespaces apart on the same nodes', async () => {
    const cluster = await runOperation(['n1', 'n2'], each => {
      for (const namespace of ['day', 'night']) each.apply(NODE_OP, named('same', namespace, full));
    });
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(starts(cluster)).toEqual(['n1', 'n1', 'n2', 'n2']);
  });

  test('keep operations apart whose long names differ in the last character', async () => {
    const cluster = await runOperation(['n1', 'n2'], each => {
      for (const name of TWIN) each.apply(NODE_OP, named(name, 'default', full));
    });
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(starts(cluster)).toEqual(['n1', 'n1', 'n2', 'n2']);
  });

  test('keep nodes apart whose long names differ in the last character', async () => {
    const cluster = await runOperation(TWIN, each => void each.apply(NODE_OP, named('op', 'default', full)));
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed'], []]);
    expect(starts(cluster)).toEqual(TWIN);
  });

  test('keep pairs of operation and node apart that are equal when they are joined', async () => {
    const cluster = await runOperation(['b-c', 'c'], each => {
      for (const name of ['a', 'a-b']) each.apply(NODE_OP, named(name, 'default', full));
    });
    expect([phases(cluster), invalidNames(cluster)]).toEqual([['Completed', 'Completed'], []]);
    expect(starts(cluster)).toEqual(['b-c', 'b-c', 'c', 'c']);
  });
});
