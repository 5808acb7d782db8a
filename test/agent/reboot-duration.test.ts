/** A reboot request with a duration: the clock of the node does not matter to it. */
import { describe, expect, test } from '@jest/globals';
import { bootIdOf } from '../fakes/host.js';
import { JOB, nodeAgent, NOT_AFTER, rebootRequested } from './builders.js';
import { answer, JOURNAL, SENTINEL, type Simulation, simulate } from './simulation.js';

const MINUTE = 60_000;
const request = { jobName: JOB, notAfter: NOT_AFTER, timeoutSeconds: 1200 };

/** Without its sentinel, so that the request waits. */
function waiting(): Simulation {
  const sim = simulate(nodeAgent({ operation: rebootRequested({ reboot: request }) }));
  sim.host.files.delete(SENTINEL);
  return sim;
}
const writeSentinel = (sim: Simulation) => void sim.host.files.set(SENTINEL, `${bootIdOf(1)}\n`);

describe('a reboot request with a duration', () => {
  test.each([31, 600, -600])('is carried out although the clock of the node is %i min ahead', async minutes => {
    const sim = waiting();
    sim.clock.jumpWallClock(minutes * MINUTE);
    writeSentinel(sim);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
  });

  test.each([600, -600])('is carried out although the clock jumps %i min while it waits', async minutes => {
    const sim = waiting();
    await sim.reconcile();
    sim.clock.jumpWallClock(minutes * MINUTE);
    writeSentinel(sim);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
  });

  test('is too late after that duration', async () => {
    const sim = waiting();
    await sim.reconcile();
    await sim.clock.advance(20 * MINUTE);
    writeSentinel(sim);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toEqual([]);
    expect(answer(sim)).toMatchObject({ state: 'Failed', message: expect.stringContaining('within 1200 s') });
  });

  test('counts on after a restart of the agent', async () => {
    const sim = waiting();
    await sim.reconcile();
    await sim.clock.advance(19 * MINUTE);
    await sim.start();
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Waiting');
    await sim.clock.advance(MINUTE);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Failed');
  });

  test('does not repeat a call after that duration', async () => {
    const sim = waiting();
    writeSentinel(sim);
    sim.host.set({ rebootsWhenAsked: false });
    await sim.reconcile();
    await sim.clock.advance(25 * MINUTE);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(1);
    expect(sim.host.files.get(JOURNAL)).toContain('Failed');
  });
});
