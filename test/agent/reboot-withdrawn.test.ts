/** A reboot request that is withdrawn at any moment, and clocks that jump and full disks while it exists. */
import { describe, expect, test } from '@jest/globals';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import { bootIdOf } from '../fakes/host.js';
import { rebootRequested, nodeAgent, operation, rebootWithdrawn } from './builders.js';
import { JOURNAL, SENTINEL, type Simulation, simulate } from './simulation.js';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;

const answer = ({ cluster }: Simulation) => cluster.agent.status?.operation?.reboot;
const setOperation = (sim: Simulation, operationNow: ReturnType<typeof rebootRequested>) =>
  sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: operationNow } }));

/** Reconciles over half an hour; failures are retried, as in the loop of the agent. */
async function runHalfAnHour(sim: Simulation): Promise<void> {
  for (let round = 0; round < 8; round += 1) {
    await sim.reconcile().catch(() => undefined);
    await sim.clock.advance(4 * MINUTE);
  }
}

describe('a withdrawn reboot', () => {
  /* 1 journal, 2 sentinel, 3 status, 4 reboot, 5 labels. */
  const MOMENTS = [1, 2, 3, 4, 5];

  test.each(MOMENTS)(
    'is no longer called when it was withdrawn while the agent was down before action %i',
    async action => {
      const sim = simulate();
      sim.host.killBefore(action);
      expect(await sim.reconcile()).toBe('killed');
      const called = sim.host.rebootCalls.length;
      setOperation(sim, rebootWithdrawn());
      await runHalfAnHour(sim);
      expect(sim.host.rebootCalls).toHaveLength(called);
      expect(answer(sim)?.state).toBe(called === 0 ? 'Cancelled' : 'Rebooted');
    },
  );

  test.each(MOMENTS)(
    'is cancelled when the call had no effect and the agent was down before action %i',
    async action => {
      const sim = simulate();
      sim.host.set({ rebootsWhenAsked: false });
      sim.host.killBefore(action);
      await sim.reconcile();
      const called = sim.host.rebootCalls.length;
      setOperation(sim, rebootWithdrawn());
      await runHalfAnHour(sim);
      expect(sim.host.rebootCalls).toHaveLength(called);
      expect(answer(sim)?.state).toBe('Cancelled');
    },
  );

  test.each(MOMENTS)('is not called after a power failure before action %i', async action => {
    const sim = simulate();
    sim.host.killBefore(action);
    await sim.reconcile();
    const called = sim.host.rebootCalls.length;
    if (called === 0) sim.host.restart();
    setOperation(sim, rebootWithdrawn());
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toHaveLength(called);
    /* Before the journal was written, the agent had not started a reboot. */
    expect(answer(sim)?.state).toBe(action === 1 ? 'Cancelled' : 'Rebooted');
  });

  test.each([1, 2, 3])(
    'is cancelled although the agent is killed before action %i of the cancellation',
    async action => {
      const sim = simulate(nodeAgent({ operation: rebootWithdrawn() }));
      sim.host.killBefore(action);
      await sim.reconcile();
      await runHalfAnHour(sim);
      expect(answer(sim)?.state).toBe('Cancelled');
      expect(sim.host.files.has(SENTINEL)).toBe(false);
      expect(sim.host.rebootCalls).toEqual([]);
    },
  );

  test('stays cancelled when it is requested again under the same id, even without the journal', async () => {
    const sim = simulate(nodeAgent({ operation: rebootWithdrawn() }));
    await sim.reconcile();
    sim.host.files.delete(JOURNAL);
    sim.host.files.set(SENTINEL, bootIdOf(1));
    await sim.start();
    setOperation(sim, rebootRequested());
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([]);
    expect(answer(sim)?.state).toBe('Cancelled');
  });

  test('is cancelled while the disk is full', async () => {
    const sim = simulate(nodeAgent({ operation: rebootWithdrawn() }));
    sim.host.set({ diskFault: 'ENOSPC: no space left on device' });
    await runHalfAnHour(sim);
    expect(answer(sim)?.state).toBe('Cancelled');
    expect(sim.host.rebootCalls).toEqual([]);
  });
});

describe('a reboot that is withdrawn while the watch is stale', () => {
  const withStaleWatch = async () => {
    const sim = simulate();
    await sim.start();
    sim.stopWatching();
    setOperation(sim, rebootWithdrawn());
    return sim;
  };

  test('is cancelled, since the NodeAgent is read before the first call', async () => {
    const sim = await withStaleWatch();
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([]);
    expect(answer(sim)?.state).toBe('Cancelled');
    expect(sim.host.files.has(SENTINEL)).toBe(false);
  });

  test('is not started while the API server is unreachable, not even in the journal', async () => {
    const sim = await withStaleWatch();
    sim.cluster.isUnreachable = true;
    await expect(sim.reconcile()).rejects.toThrow('connection refused');
    expect(sim.host.mutations).toEqual([]);
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([]);
    sim.cluster.isUnreachable = false;
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([]);
    expect(answer(sim)?.state).toBe('Cancelled');
  });

  test('is not called when another operation has claimed the node, which gets its own answer', async () => {
    const sim = await withStaleWatch();
    setOperation(sim, operation({ id: 'op-2' }));
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([]);
    expect(sim.cluster.agent.status?.operation).toEqual({ id: 'op-2', seenAt: expect.any(String) });
  });
});

describe('sentinels in the state directory', () => {
  const OTHER_SENTINELS = { [`${KAIROS_STATE_DIR}/other-n1-1767225600`]: bootIdOf(1) };

  test('have no effect and stay when they are of other operations', async () => {
    const sim = simulate(nodeAgent({ operation: rebootRequested() }), OTHER_SENTINELS);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toEqual([]);
    expect(answer(sim)?.state).toBe('Waiting');
    expect([...sim.host.files.keys()]).toEqual(Object.keys(OTHER_SENTINELS));
  });

  test('cause one reboot and are all removed when several are of the same Job', async () => {
    const files = { [SENTINEL]: bootIdOf(1), [`${SENTINEL.slice(0, -1)}5`]: bootIdOf(1), ...OTHER_SENTINELS };
    const sim = simulate(nodeAgent({ operation: rebootRequested() }), files);
    await sim.reconcile();
    await sim.start();
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect([...sim.host.files.keys()].filter(file => !file.endsWith('.json'))).toEqual(Object.keys(OTHER_SENTINELS));
  });
});

describe('a wall clock that jumps', () => {
  test.each([
    ['a year back', -YEAR],
    ['some minutes forward', 5 * MINUTE],
  ])('%s before the reboot and back after it leads to one reboot', async (_sentence, by) => {
    const sim = simulate();
    sim.clock.jumpWallClock(by);
    await sim.reconcile();
    sim.clock.jumpWallClock(-2 * by);
    await sim.start();
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(answer(sim)?.state).toBe('Rebooted');
  });

  test('a year forward before the start prevents the reboot, and the message has both times', async () => {
    const sim = simulate();
    sim.clock.jumpWallClock(YEAR);
    await sim.reconcile();
    sim.clock.jumpWallClock(-YEAR);
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([]);
    expect(answer(sim)).toMatchObject({ state: 'Failed', message: expect.stringContaining('2027-01-01') });
  });

  test('a year forward right after a call does not fail the reboot while it may still happen', async () => {
    const sim = simulate();
    sim.host.set({ rebootsWhenAsked: false });
    await sim.reconcile();
    sim.clock.jumpWallClock(YEAR);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Rebooting');
    await sim.clock.advance(5 * MINUTE);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Failed');
    expect(sim.host.rebootCalls).toHaveLength(1);
  });

  test('a year back right after a call does not repeat it before five minutes', async () => {
    const sim = simulate();
    sim.host.set({ rebootsWhenAsked: false });
    await sim.reconcile();
    sim.clock.jumpWallClock(-YEAR);
    await sim.clock.advance(5 * MINUTE - 1);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(1);
    await sim.clock.advance(1);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(2);
  });
});

describe('a disk that cannot be written', () => {
  test.each(['ENOSPC: no space left on device', 'EROFS: read-only file system'])(
    'prevents the reboot, which is reported until it fails at the deadline: %s',
    async diskFault => {
      const sim = simulate();
      sim.host.set({ diskFault });
      await expect(sim.reconcile()).rejects.toThrow(diskFault);
      expect(answer(sim)).toMatchObject({ state: 'Waiting', message: `not rebooted yet: ${diskFault}` });
      await runHalfAnHour(sim);
      expect(answer(sim)?.state).toBe('Failed');
      expect(sim.host.rebootCalls).toEqual([]);
      sim.host.set({ diskFault: undefined });
      sim.clock.jumpWallClock(-YEAR);
      await sim.start();
      await runHalfAnHour(sim);
      expect(sim.host.rebootCalls).toEqual([]);
      expect(answer(sim)?.state).toBe('Failed');
    },
  );
});

describe('a machine that boots another system', () => {
  test.each([
    ['passive', 'root=LABEL=COS_PASSIVE cos-img/filename=/cOS/passive.img'],
    ['recovery', 'root=LABEL=COS_SYSTEM cos-img/filename=/cOS/recovery.img'],
  ])('is reported as rebooted, with the label %s and the fallback', async (state, cmdline) => {
    const check = { release: { version: 'v3.6.0' } };
    const sim = simulate(nodeAgent({ operation: rebootRequested({ check }) }));
    await sim.reconcile();
    sim.host.set({ cmdline });
    await sim.start();
    await runHalfAnHour(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(answer(sim)?.state).toBe('Rebooted');
    expect(sim.cluster.agent.status).toMatchObject({ boot: { state }, fellBack: { version: 'v3.6.0' } });
    expect(JSON.stringify(sim.cluster.nodePatches.at(-1))).toContain(`"kairos.io/boot-state":"${state}"`);
  });
});
