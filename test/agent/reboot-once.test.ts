import { describe, expect, test } from '@jest/globals';
import { bootIdOf } from '../fakes/host.js';
import { rebootRequested, nodeAgent, rebootWithdrawn } from './builders.js';
import { answer, bootUp, JOURNAL, SENTINEL, settle, simulate } from './simulation.js';

describe('exactly one reboot', () => {
  test('happens after the journal and the removal of the sentinel', async () => {
    const sim = simulate();
    await sim.reconcile();
    expect(sim.host.mutations).toEqual([
      `write ${JOURNAL}`,
      `remove ${SENTINEL}`,
      'patch',
      'systemctl reboot',
      `write ${JOURNAL}`,
      'patch',
    ]);
    await bootUp(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(answer(sim)).toMatchObject({ state: 'Rebooted', bootIdBefore: bootIdOf(1), bootIdAfter: bootIdOf(2) });
  });

  test('is done by the reboot command of the host when init is not systemd', async () => {
    const sim = simulate();
    sim.host.set({ init: 'init' });
    await sim.reconcile();
    expect(sim.host.mutations).toContain('reboot');
    expect(sim.host.mutations).not.toContain('systemctl reboot');
  });

  /* 1 journal, 2 sentinel, 3 status, 4 reboot, 5 journal, 6 labels; 7: not killed at all. */
  const KILLS = [1, 2, 3, 4, 5, 6, 7];

  test.each(KILLS)('happens when the agent is killed before action %i and restarted', async action => {
    const sim = simulate();
    sim.host.killBefore(action);
    await settle(sim);
    await bootUp(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(answer(sim)?.state).toBe('Rebooted');
    expect(sim.host.files.has(SENTINEL)).toBe(false);
  });

  test.each(KILLS)('is not repeated when a power failure before action %i restarted the machine', async action => {
    const sim = simulate();
    sim.host.killBefore(action);
    if ((await sim.reconcile()) === 'killed' && sim.host.rebootCalls.length === 0) sim.host.restart();
    await bootUp(sim);
    expect(await sim.host.bootId()).toBe(bootIdOf(2));
    expect(answer(sim)?.state).toBe('Rebooted');
  });

  test.each(KILLS)('happens when the agent is killed before action %i twice', async action => {
    const sim = simulate();
    sim.host.killBefore(action);
    await sim.reconcile();
    sim.host.killBefore(action);
    await settle(sim);
    await bootUp(sim);
    expect(await sim.host.bootId()).toBe(bootIdOf(2));
    expect(answer(sim)?.state).toBe('Rebooted');
  });

  test.each([
    ['the journal', [JOURNAL]],
    ['journal and sentinel', [JOURNAL, SENTINEL]],
  ])('is recognized although the reboot lost %s', async (_sentence, lost) => {
    const sim = simulate();
    await sim.reconcile();
    for (const path of lost) sim.host.files.delete(path);
    await bootUp(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(answer(sim)?.state).toBe('Rebooted');
  });

  test('is recognized with a damaged journal, which is copied for inspection', async () => {
    const sim = simulate();
    await sim.reconcile();
    sim.host.files.set(JOURNAL, '{"entries": [{"id":');
    await bootUp(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(answer(sim)?.state).toBe('Rebooted');
    expect(sim.host.files.has(`${JOURNAL}.damaged`)).toBe(true);
  });
});

describe('a Job that ran again after a power failure', () => {
  /* The ledger contains the boot in which the Job started, the sentinel the one in which it succeeded. */
  const afterPowerFailure = () => {
    const sim = simulate(nodeAgent({ operation: rebootRequested({ bootIdBefore: bootIdOf(1) }) }));
    sim.host.restart();
    return sim;
  };

  test.each([0, 1, 2, 3, 4, 5])(
    'is followed by its own reboot, also when the agent is killed before action %i',
    async action => {
      const sim = afterPowerFailure();
      sim.host.files.set(SENTINEL, bootIdOf(2));
      sim.host.killBefore(action || undefined);
      await sim.reconcile();
      await bootUp(sim);
      expect(sim.host.rebootCalls).toEqual([bootIdOf(2)]);
      expect(answer(sim)).toMatchObject({ state: 'Rebooted', bootIdBefore: bootIdOf(2), bootIdAfter: bootIdOf(3) });
    },
  );

  test('is not reported as rebooted when the call had no effect, although the ledger has another boot id', async () => {
    const sim = afterPowerFailure();
    sim.host.files.set(SENTINEL, bootIdOf(2));
    sim.host.set({ rebootsWhenAsked: false });
    await sim.reconcile();
    expect(answer(sim)).toMatchObject({ state: 'Rebooting', bootIdBefore: bootIdOf(2) });
    sim.host.files.delete(JOURNAL);
    await sim.start();
    await sim.reconcile();
    expect(answer(sim)).toMatchObject({ state: 'Rebooting', bootIdBefore: bootIdOf(2) });
    sim.host.restart();
    await bootUp(sim);
    expect(answer(sim)).toMatchObject({ state: 'Rebooted', bootIdAfter: bootIdOf(3) });
  });
});

describe('a reboot call without effect', () => {
  const withoutEffect = () => {
    const sim = simulate();
    sim.host.set({ rebootsWhenAsked: false });
    return sim;
  };

  test('is repeated after five minutes, and fails at notAfter', async () => {
    const sim = withoutEffect();
    await sim.reconcile();
    await sim.clock.advance(4 * 60_000);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(1);
    await sim.clock.advance(60_000);
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(2);
    await sim.clock.advance(15 * 60_000);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Failed');
    expect(sim.host.rebootCalls).toHaveLength(2);
  });

  test.each(['by the same process', 'by a new process'])(
    'is not reported as failed while it may still take effect after notAfter, %s',
    async by => {
      const sim = withoutEffect();
      sim.clock.jumpWallClock(19.5 * 60_000);
      await sim.reconcile();
      await sim.clock.advance(60_000);
      if (by === 'by a new process') await sim.start();
      await sim.reconcile();
      expect(answer(sim)?.state).toBe('Rebooting');
      sim.host.restart();
      await bootUp(sim);
      expect(answer(sim)?.state).toBe('Rebooted');
      expect(sim.host.rebootCalls).toHaveLength(1);
    },
  );

  test('is cancelled when it is withdrawn after it failed', async () => {
    const sim = withoutEffect();
    await sim.reconcile();
    await sim.clock.advance(25 * 60_000);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Failed');
    sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: rebootWithdrawn() } }));
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Cancelled');
    expect(sim.host.rebootCalls).toHaveLength(1);
  });

  test.each([
    ['damaged', '{"entries": [{"id":'],
    ['deleted', undefined],
  ])('is cancelled after five minutes when it is withdrawn and the journal is %s', async (_sentence, text) => {
    const sim = withoutEffect();
    await sim.reconcile();
    sim.host.files.delete(JOURNAL);
    if (text !== undefined) sim.host.files.set(JOURNAL, text);
    sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: rebootWithdrawn() } }));
    await sim.start();
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Rebooting');
    await sim.clock.advance(4 * 60_000);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Rebooting');
    await sim.clock.advance(60_000);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Cancelled');
    expect(sim.host.rebootCalls).toHaveLength(1);
  });

  test('is not repeated while the API server is unreachable', async () => {
    const sim = withoutEffect();
    await sim.reconcile();
    await sim.clock.advance(5 * 60_000);
    sim.cluster.isUnreachable = true;
    await expect(sim.reconcile()).rejects.toThrow('connection refused');
    expect(sim.host.rebootCalls).toHaveLength(1);
    sim.cluster.isUnreachable = false;
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(2);
  });

  test('is cancelled five minutes after the call when it is withdrawn, and never repeated', async () => {
    const sim = withoutEffect();
    await sim.reconcile();
    sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: rebootWithdrawn() } }));
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Rebooting');
    await sim.clock.advance(5 * 60_000);
    await sim.reconcile();
    expect(answer(sim)?.state).toBe('Cancelled');
    sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: rebootRequested() } }));
    await settle(sim);
    expect(sim.host.rebootCalls).toHaveLength(1);
  });
});

describe('a reboot that meets an obstacle', () => {
  test('waits and reports the error when the journal cannot be written', async () => {
    const sim = simulate();
    sim.host.set({ diskFault: 'ENOSPC: no space left on device' });
    await expect(sim.reconcile()).rejects.toThrow('ENOSPC');
    expect(sim.host.rebootCalls).toEqual([]);
    expect(answer(sim)).toMatchObject({ state: 'Waiting', message: expect.stringContaining('ENOSPC') });
    sim.host.set({ diskFault: undefined });
    await bootUp(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
  });

  test('is retried and reports the error when the reboot call fails', async () => {
    const sim = simulate();
    sim.host.set({ rebootFault: 'nsenter: not found' });
    await expect(sim.reconcile()).rejects.toThrow('nsenter');
    expect(answer(sim)).toMatchObject({ state: 'Rebooting', message: expect.stringContaining('nsenter') });
    sim.host.set({ rebootFault: undefined });
    await sim.reconcile();
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
  });

  test('happens although the status before it cannot be written', async () => {
    const sim = simulate();
    sim.cluster.onWrite = () => void (sim.cluster.isUnreachable = true);
    await expect(sim.reconcile()).rejects.toThrow('connection refused'); // from the labels, after the reboot
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
  });
});

describe('a finished operation', () => {
  test('loses its answer but keeps its journal entry for a rebuilt ledger', async () => {
    const sim = simulate();
    await sim.reconcile();
    await bootUp(sim);
    sim.cluster.change(agent => ({ ...agent, spec: { labels: true } }));
    await sim.reconcile();
    expect(sim.cluster.agent.status?.operation).toBeUndefined();
    sim.cluster.change(agent => ({
      ...agent,
      spec: { ...agent.spec, operation: rebootRequested({ bootIdBefore: undefined }) },
    }));
    await settle(sim);
    expect(answer(sim)?.state).toBe('Rebooted');
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
  });

  test('is followed by a reboot of the next operation with its own sentinel', async () => {
    const sim = simulate();
    await sim.reconcile();
    await bootUp(sim);
    sim.host.files.set(SENTINEL, bootIdOf(2));
    const next = rebootRequested({ id: 'op-2', bootIdBefore: bootIdOf(2) });
    sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: next } }));
    sim.clock.jumpWallClock(-30 * 60_000);
    await settle(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1), bootIdOf(2)]);
  });

  test('leaves an unclaimed node alone', async () => {
    const sim = simulate(nodeAgent());
    expect(await sim.reconcile()).toBeUndefined();
    expect(sim.host.rebootCalls).toEqual([]);
  });
});
