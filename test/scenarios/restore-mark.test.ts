/** The mark that an operation was started, and what is left out of backups. */
import { describe, expect, test } from '@jest/globals';
import { NODE_OP } from '../../api/kinds.js';
import { ANNOTATIONS } from '../../api/names.js';
import { JOBS, PODS } from '../../kube/resources.js';
import type { JobObject } from '../fakes/cluster/object-types.js';
import { REBOOT, runUntil, untilCommandRuns } from './lifecycle-setup.js';
import { applyOp, commandsRun, completed, lose, OP, reboots, setMark, started, summaryOf } from './restore-setup.js';

describe('The mark', () => {
  test('is there before the first status, and costs no write where a node is claimed at once', async () => {
    const cluster = await started();
    const seen: [boolean, boolean][] = [];
    cluster.api.onChange((plural, { object }) => {
      if (plural !== NODE_OP.plural) return;
      const { annotations } = object.metadata as { annotations?: Record<string, string> };
      seen.push([annotations?.[ANNOTATIONS.started] !== undefined, object.status !== undefined]);
    });
    cluster.resetMutationCount();
    applyOp(cluster);
    await cluster.runUntilSettled();
    expect(seen.slice(0, 3)).toEqual([
      [false, false],
      [true, false],
      [true, true],
    ]);
    const ofMetadata = cluster.mutations.filter(
      ({ name, body }) =>
        name.includes('nodeops') && !name.includes('status') && JSON.stringify(body).includes('metadata'),
    );
    /* The finalizer is added and removed. */
    expect(ofMetadata).toHaveLength(2);
  });

  test('leaves a paused operation deletable while no controller runs', async () => {
    const cluster = await started();
    applyOp(cluster, { paused: true });
    await cluster.runFor(5);
    expect(cluster.nodeOp('op')?.metadata.finalizers ?? []).toEqual([]);
    expect(summaryOf(cluster.nodeOp('op'))[2]).toBe(true);
  });

  test.each([
    ['that an older release has started', 'while its command runs', 'untilCommandRuns'],
    ['that an older release has completed', 'when it has ended', 'untilSettled'],
  ])('is added to an operation %s, without failing it', async (_which, _when, until) => {
    const cluster = await started();
    applyOp(cluster, REBOOT);
    await (until === 'untilSettled' ? cluster.runUntilSettled() : untilCommandRuns(cluster, 'n1'));
    const { uid: _uid, ...status } = cluster.nodeOp('op')?.status ?? {};
    cluster.api.patch(NODE_OP, OP, { status: { uid: null, ...status } }, { subresource: 'status' });
    setMark(cluster, null);
    expect(await cluster.runUntilSettled()).toBe(true);
    expect(summaryOf(cluster.nodeOp('op'))).toEqual(['Completed', 'AllDone', true]);
    expect([commandsRun(cluster), reboots(cluster)]).toEqual([2, 2]);
  });

  test('of another object, applied again over a running operation, does not end it', async () => {
    const cluster = await started();
    applyOp(cluster, { concurrency: 1 });
    await untilCommandRuns(cluster, 'n1');
    setMark(cluster, 'uid-of-another');
    expect(await cluster.runUntilSettled()).toBe(true);
    expect(summaryOf(cluster.nodeOp('op'))).toEqual(['Completed', 'AllDone', false]);
    expect(commandsRun(cluster)).toBe(2);
  });

  test('that a policy strips prevents nothing', async () => {
    const cluster = await started();
    const { api } = cluster;
    const patch = api.patch.bind(api);
    const stripped = (body: unknown): unknown =>
      JSON.parse(JSON.stringify(body), (key, value: unknown) => (key === ANNOTATIONS.started ? undefined : value));
    api.patch = (resource, at, body, options) => patch(resource, at, stripped(body), options);
    applyOp(cluster);
    await runUntil(cluster, () => cluster.nodeOp('op')?.status?.phase === 'Completed');
    expect(cluster.programs().some(({ hotLooped }) => hotLooped)).toBe(false);
  });
});

describe('What was created for a NodeOp', () => {
  test('is left out of the backup', async () => {
    const cluster = await started();
    applyOp(cluster, REBOOT);
    await untilCommandRuns(cluster, 'n1');
    expect(cluster.backUp().map(({ object }) => object.metadata.name)).toEqual(['op']);
  });
  test('does not run when a tool that does not know the label restores a finished Job', async () => {
    const cluster = await completed();
    const backup = cluster.backUp({ knowsLabel: false }).filter(({ resource }) => resource === JOBS);
    for (const { metadata } of cluster.api.all(JOBS)) cluster.api.forceRemove(JOBS, metadata);
    await lose(cluster);
    cluster.restore(backup);
    await cluster.runFor(300);
    expect(cluster.api.all<JobObject>(JOBS).map(({ spec }) => spec.suspend)).toEqual([true, true]);
    expect([commandsRun(cluster), cluster.api.all(PODS)]).toEqual([2, []]);
  });
});
