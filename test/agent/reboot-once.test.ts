import { describe, expect, test } from '@jest/globals';
import { bootIdOf } from '../fakes/host.js';
import { asked, nodeAgent, withdrawn } from './builders.js';
import { JOURNAL, SENTINEL, type Story, story } from './story.js';

const answer = ({ cluster }: Story) => cluster.agent.status?.operation?.reboot;

/** Passes until nothing changes any more; time goes on so that no wait hides a second call. */
async function settle(told: Story): Promise<void> {
  for (let pass = 0; pass < 8; pass += 1) {
    await told.pass();
    await told.clock.advance(4 * 60_000);
  }
}

/** The machine comes up: everything in memory is gone, a new process begins. */
async function comesUp(told: Story): Promise<void> {
  await told.start();
  await settle(told);
}

describe('one reboot, whatever happens', () => {
  test('the plain story: journal, sentinel away, one call, Rebooted', async () => {
    const told = story();
    await told.pass();
    expect(told.host.acts).toEqual([`write ${JOURNAL}`, `remove ${SENTINEL}`, 'patch', 'signal 39', 'patch']);
    await comesUp(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
    expect(answer(told)).toMatchObject({ state: 'Rebooted', bootIdBefore: bootIdOf(1), bootIdAfter: bootIdOf(2) });
  });

  test('another first process than systemd: the command of the host', async () => {
    const told = story();
    told.host.set({ init: 'init' });
    await told.pass();
    expect(told.host.acts).toContain('reboot');
  });

  /* 1 journal, 2 sentinel, 3 status, 4 reboot, 5 labels; 6: nothing is cut off. */
  const KILLS = [1, 2, 3, 4, 5, 6];

  test.each(KILLS)('the agent is killed before act %i and starts again', async act => {
    const told = story();
    told.host.killBefore(act);
    await settle(told);
    await comesUp(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
    expect(answer(told)?.state).toBe('Rebooted');
    expect(told.host.files.has(SENTINEL)).toBe(false);
  });

  test.each(KILLS)('the power fails before act %i: the machine was restarted by that, and is not again', async act => {
    const told = story();
    told.host.killBefore(act);
    if ((await told.pass()) === 'killed' && told.host.calls.length === 0) told.host.restart();
    await comesUp(told);
    expect(await told.host.bootId()).toBe(bootIdOf(2));
    expect(answer(told)?.state).toBe('Rebooted');
  });

  test.each(KILLS)('killed before act %i of the first start and of the second', async act => {
    const told = story();
    told.host.killBefore(act);
    await told.pass();
    told.host.killBefore(act);
    await settle(told);
    await comesUp(told);
    expect(await told.host.bootId()).toBe(bootIdOf(2));
    expect(answer(told)?.state).toBe('Rebooted');
  });

  test.each([
    ['the journal', [JOURNAL]],
    ['everything', [JOURNAL, SENTINEL]],
  ])('it rebooted, but %s was lost with it', async (_sentence, lost) => {
    const told = story();
    await told.pass();
    for (const path of lost) told.host.files.delete(path);
    await comesUp(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
    expect(answer(told)?.state).toBe('Rebooted');
  });

  test('the journal is damaged: put aside; sentinel and ledger still know', async () => {
    const told = story();
    await told.pass();
    told.host.files.set(JOURNAL, '{"entries": [{"id":');
    await comesUp(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
    expect(answer(told)?.state).toBe('Rebooted');
    expect(told.host.files.has(`${JOURNAL}.damaged`)).toBe(true);
  });
});

describe('the power fails while the Job runs; it runs again on the new boot and completes there', () => {
  /* The ledger remembers the boot the Job began in, the sentinel the one it ended in. */
  const again = () => {
    const told = story(nodeAgent({ operation: asked({ bootIdBefore: bootIdOf(1) }) }));
    told.host.restart();
    return told;
  };

  test.each([0, 1, 2, 3, 4, 5])('its work needs a reboot of its own; the agent is killed before act %i', async act => {
    const told = again();
    told.host.files.set(SENTINEL, bootIdOf(2));
    told.host.killBefore(act || undefined);
    await told.pass();
    await comesUp(told);
    expect(told.host.calls).toEqual([bootIdOf(2)]);
    expect(answer(told)).toMatchObject({ state: 'Rebooted', bootIdBefore: bootIdOf(2), bootIdAfter: bootIdOf(3) });
  });

  test('not obeyed, it is not told as done, whatever the ledger remembers', async () => {
    const told = again();
    told.host.files.set(SENTINEL, bootIdOf(2));
    told.host.set({ obeys: false });
    await told.pass();
    expect(answer(told)).toMatchObject({ state: 'Rebooting', bootIdBefore: bootIdOf(2) });
    told.host.files.delete(JOURNAL);
    await told.start();
    await told.pass();
    expect(answer(told)).toMatchObject({ state: 'Rebooting', bootIdBefore: bootIdOf(2) });
    told.host.restart();
    await comesUp(told);
    expect(answer(told)).toMatchObject({ state: 'Rebooted', bootIdAfter: bootIdOf(3) });
  });
});

describe('a reboot that does not come', () => {
  const deaf = () => {
    const told = story();
    told.host.set({ obeys: false });
    return told;
  };

  test('is called again after five minutes, and ends at notAfter', async () => {
    const told = deaf();
    await told.pass();
    await told.clock.advance(4 * 60_000);
    await told.pass();
    expect(told.host.calls).toHaveLength(1);
    await told.clock.advance(60_000);
    await told.pass();
    expect(told.host.calls).toHaveLength(2);
    await told.clock.advance(15 * 60_000);
    await told.pass();
    expect(answer(told)?.state).toBe('Failed');
    expect(told.host.calls).toHaveLength(2);
  });

  test.each(['by the same process', 'by a new one'])(
    'called shortly before notAfter, it is not given up while it may still happen: %s',
    async by => {
      const told = deaf();
      told.clock.jump(19.5 * 60_000);
      await told.pass();
      await told.clock.advance(60_000);
      if (by === 'by a new one') await told.start();
      await told.pass();
      expect(answer(told)?.state).toBe('Rebooting');
      told.host.restart();
      await comesUp(told);
      expect(answer(told)?.state).toBe('Rebooted');
      expect(told.host.calls).toHaveLength(1);
    },
  );

  test('given up, then withdrawn: Cancelled', async () => {
    const told = deaf();
    await told.pass();
    await told.clock.advance(25 * 60_000);
    await told.pass();
    expect(answer(told)?.state).toBe('Failed');
    told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: withdrawn() } }));
    await told.pass();
    expect(answer(told)?.state).toBe('Cancelled');
    expect(told.host.calls).toHaveLength(1);
  });

  test.each([
    ['damaged', '{"entries": [{"id":'],
    ['gone, with its folder', undefined],
  ])(
    'withdrawn, and the journal is %s: Cancelled only when the call can be taken for lost',
    async (_sentence, text) => {
      const told = deaf();
      await told.pass();
      told.host.files.delete(JOURNAL);
      if (text !== undefined) told.host.files.set(JOURNAL, text);
      told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: withdrawn() } }));
      await told.start();
      await told.pass();
      expect(answer(told)?.state).toBe('Rebooting');
      await told.clock.advance(4 * 60_000);
      await told.pass();
      expect(answer(told)?.state).toBe('Rebooting');
      await told.clock.advance(60_000);
      await told.pass();
      expect(answer(told)?.state).toBe('Cancelled');
      expect(told.host.calls).toHaveLength(1);
    },
  );

  test('is not called again on hearsay: the API server is asked, and while it is away nothing happens', async () => {
    const told = deaf();
    await told.pass();
    await told.clock.advance(5 * 60_000);
    told.cluster.away = true;
    await expect(told.pass()).rejects.toThrow('connection refused');
    expect(told.host.calls).toHaveLength(1);
    told.cluster.away = false;
    await told.pass();
    expect(told.host.calls).toHaveLength(2);
  });

  test('withdrawn: Cancelled only when the call can be taken for lost; never done afterwards', async () => {
    const told = deaf();
    await told.pass();
    told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: withdrawn() } }));
    await told.pass();
    expect(answer(told)?.state).toBe('Rebooting');
    await told.clock.advance(5 * 60_000);
    await told.pass();
    expect(answer(told)?.state).toBe('Cancelled');
    told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: asked() } }));
    await settle(told);
    expect(told.host.calls).toHaveLength(1);
  });
});

describe('what stands in the way is told', () => {
  test('a disk that cannot be written: no journal, no reboot', async () => {
    const told = story();
    told.host.set({ diskFault: 'ENOSPC: no space left on device' });
    await expect(told.pass()).rejects.toThrow('ENOSPC');
    expect(told.host.calls).toEqual([]);
    expect(answer(told)).toMatchObject({ state: 'Waiting', message: expect.stringContaining('ENOSPC') });
    told.host.set({ diskFault: undefined });
    await comesUp(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
  });

  test('a call that fails is told, and made again', async () => {
    const told = story();
    told.host.set({ rebootFault: 'nsenter: not found' });
    await expect(told.pass()).rejects.toThrow('nsenter');
    expect(answer(told)).toMatchObject({ state: 'Rebooting', message: expect.stringContaining('nsenter') });
    told.host.set({ rebootFault: undefined });
    await told.pass();
    expect(told.host.calls).toEqual([bootIdOf(1)]);
  });

  test('an API server that is away does not keep a begun reboot from happening', async () => {
    const told = story();
    told.cluster.onWrite = () => void (told.cluster.away = true);
    await expect(told.pass()).rejects.toThrow('connection refused'); // the labels, after the reboot
    expect(told.host.calls).toEqual([bootIdOf(1)]);
  });
});

describe('the operation ends', () => {
  test('its answer goes, its journal entry stays for a ledger that has to be rebuilt', async () => {
    const told = story();
    await told.pass();
    await comesUp(told);
    told.cluster.change(agent => ({ ...agent, spec: { labels: true } }));
    await told.pass();
    expect(told.cluster.agent.status?.operation).toBeUndefined();
    told.cluster.change(agent => ({
      ...agent,
      spec: { ...agent.spec, operation: asked({ bootIdBefore: undefined }) },
    }));
    await settle(told);
    expect(answer(told)?.state).toBe('Rebooted');
    expect(told.host.calls).toEqual([bootIdOf(1)]);
  });

  test('the next one, with its own sentinel, reboots again', async () => {
    const told = story();
    await told.pass();
    await comesUp(told);
    told.host.files.set(SENTINEL, bootIdOf(2));
    const next = asked({ id: 'op-2', bootIdBefore: bootIdOf(2) });
    told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: next } }));
    told.clock.jump(-30 * 60_000);
    await settle(told);
    expect(told.host.calls).toEqual([bootIdOf(1), bootIdOf(2)]);
  });

  test('a free node is left alone', async () => {
    const told = story(nodeAgent());
    expect(await told.pass()).toBeUndefined();
    expect(told.host.calls).toEqual([]);
  });
});
