/** Whether an agent finds out that it may write to other Nodes, and what that costs. */
import { describe, expect, test } from '@jest/globals';
import { CONFIRM_MS, FenceCheck, RECHECK_MS } from '../../agent/fence-check.js';
import { Reconciler } from '../../agent/reconcile.js';
import { Journal } from '../../agent/reboot-journal.js';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import type { NodeAgent } from '../../api/objects.js';
import { ObjectCache } from '../../kube/cache.js';
import { KubeError } from '../../kube/errors.js';
import type { Kube, PatchOptions, Resource, Name } from '../../kube/kube.js';
import { silentLog } from '../../program/log.js';
import { fakeClock } from '../fakes/clock.js';
import { fakeHost } from '../fakes/host.js';
import { nodeAgent } from './builders.js';
import { kubeOf, SingleNodeCluster } from './simulation.js';

const REFUSED = new KubeError(403, 'ValidatingAdmissionPolicy operator-agent-node denied request', 'Forbidden');

/** A cluster with these nodes, in which a patch of another Node ends with `answer`. */
function clusterOf(nodes: readonly string[], answer?: Error) {
  const cluster = new SingleNodeCluster(nodeAgent({}));
  const requests: string[] = [];
  const state = { nodes, answer };
  const own = kubeOf(cluster);
  const kube = {
    ...own,
    list: async () => {
      requests.push('list');
      return { items: state.nodes.slice(0, 2).map(name => ({ metadata: { name } })), resourceVersion: '1' };
    },
    patch: async (resource: Resource, at: Name, body: unknown, options: PatchOptions = {}) => {
      if (resource.plural !== 'nodes' || at.name === 'n1') return own.patch(resource, at, body, options);
      requests.push(`patch ${at.name}${options.dryRun === true ? ' dry' : ''}`);
      if (state.answer) throw state.answer;
      return { metadata: { name: at.name } };
    },
  } as unknown as Kube;
  const clock = fakeClock('2026-01-01T00:10:00.000Z');
  const check = new FenceCheck({ kube, clock, log: silentLog, nodeName: 'n1' });
  return { cluster, kube, clock, check, requests, state };
}

describe('an agent', () => {
  test('that is refused on another Node is fenced, asks again every hour and reports nothing new', async () => {
    const { check, clock, requests } = clusterOf(['n1', 'n2'], REFUSED);
    expect(await check.run()).toBe(true);
    expect(check.result).toMatchObject({ state: 'Fenced', reason: 'Refused' });
    await clock.advance(RECHECK_MS - 1);
    expect(await check.run()).toBe(false);
    expect(requests).toEqual(['list', 'patch n2 dry']);
    for (let hour = 0; hour < 5; hour += 1) {
      await clock.advance(RECHECK_MS);
      expect(await check.run()).toBe(false);
    }
    expect(requests).toHaveLength(12);
  });

  test('whose policies are deleted later reports it within the hour, after a second try', async () => {
    const { check, clock, state } = clusterOf(['n1', 'n2'], REFUSED);
    await check.run();
    state.answer = undefined;
    await clock.advance(RECHECK_MS);
    expect(await check.run()).toBe(false);
    expect(check.result?.state).toBe('Fenced');
    await clock.advance(CONFIRM_MS);
    expect(await check.run()).toBe(true);
    expect(check.result?.state).toBe('NotFenced');
  });

  test('that is fenced stays so when one try fails', async () => {
    const { check, clock, state } = clusterOf(['n1', 'n2'], REFUSED);
    await check.run();
    state.answer = new Error('connection refused');
    await clock.advance(RECHECK_MS);
    expect(await check.run()).toBe(false);
    state.answer = REFUSED;
    await clock.advance(CONFIRM_MS);
    expect(await check.run()).toBe(false);
    expect(check.result?.state).toBe('Fenced');
  });

  test('that may write to another Node reports it after a second try, and tries again every hour', async () => {
    const { check, clock, requests, state } = clusterOf(['n0', 'n1']);
    expect(await check.run()).toBe(false);
    await clock.advance(CONFIRM_MS - 1);
    expect(await check.run()).toBe(false);
    await clock.advance(1);
    expect(await check.run()).toBe(true);
    expect(check.result).toMatchObject({ state: 'NotFenced', reason: 'MayWriteOtherNodes' });
    expect(check.result?.message).toContain('write to Node n0');
    await clock.advance(RECHECK_MS - 1);
    expect(await check.run()).toBe(false);
    expect(requests).toHaveLength(4);
    state.answer = REFUSED;
    await clock.advance(1);
    expect(await check.run()).toBe(true);
    expect(check.result?.state).toBe('Fenced');
  });

  test('whose policies are loaded some seconds after its start is fenced, and reports nothing else', async () => {
    const { check, clock, state } = clusterOf(['n1', 'n2']);
    expect(await check.run()).toBe(false);
    state.answer = REFUSED;
    await clock.advance(CONFIRM_MS);
    await check.run();
    expect(check.result?.state).toBe('Fenced');
  });

  test.each([
    ['whose dry run fails for another reason', ['n1', 'n2'], new KubeError(500, 'x'.repeat(9000)), 'CheckFailed'],
    ['without an answer', ['n1', 'n2'], new Error('connection refused'), 'CheckFailed'],
    ['of the only Node', ['n1'], undefined, 'NoOtherNode'],
  ])('%s does not know whether it is fenced', async (_sentence, nodes, answer, reason) => {
    const { check, clock } = clusterOf(nodes, answer);
    await check.run();
    await clock.advance(CONFIRM_MS);
    expect(await check.run()).toBe(true);
    expect(check.result).toMatchObject({ state: 'Unknown', reason });
    expect(check.result?.message.length).toBeLessThanOrEqual(500);
  });

  test('reports in its status that it may write to other Nodes, and goes on labeling its own', async () => {
    const { cluster, kube, clock, check } = clusterOf(['n1', 'n2']);
    const host = fakeHost();
    const { journal } = await Journal.open(host, KAIROS_STATE_DIR);
    const cache = new ObjectCache<NodeAgent>();
    cache.replaceAll([cluster.agent], '1');
    const base = { kube, host, clock, log: silentLog, nodeName: 'n1', agentVersion: 'test', fenceCheck: check };
    const reconciler = new Reconciler({ ...base, stateDir: KAIROS_STATE_DIR, journal, cache });
    await reconciler.reconcile();
    expect(cluster.agent.status?.fence).toBeUndefined();
    await clock.advance(CONFIRM_MS);
    await reconciler.reconcile();
    expect(cluster.agent.status?.fence?.state).toBe('NotFenced');
    expect(cluster.nodePatches).toHaveLength(1);
    const before = cluster.requests.length;
    await reconciler.reconcile();
    expect(cluster.requests).toHaveLength(before);
  });
});
