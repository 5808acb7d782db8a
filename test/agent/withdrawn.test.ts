/** The wish to reboot is taken back, at every moment; and clocks that jump, and disks that take nothing, while it stands. */
import { describe, expect, test } from '@jest/globals';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import { bootIdOf } from '../fakes/host.js';
import { asked, nodeAgent, operation, withdrawn } from './builders.js';
import { JOURNAL, SENTINEL, type Story, story } from './story.js';

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;

const answer = ({ cluster }: Story) => cluster.agent.status?.operation?.reboot;
const become = (told: Story, now: ReturnType<typeof asked>) =>
  told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: now } }));

/** Passes while half an hour goes by; what fails is tried again, as the loop of the agent does. */
async function goesOn(told: Story): Promise<void> {
  for (let pass = 0; pass < 8; pass += 1) {
    await told.pass().catch(() => undefined);
    await told.clock.advance(4 * MINUTE);
  }
}

describe('withdrawn', () => {
  /* 1 journal, 2 sentinel, 3 status, 4 reboot, 5 labels. */
  const MOMENTS = [1, 2, 3, 4, 5];

  test.each(MOMENTS)(
    'while the agent lies dead before act %i: no call from then on, and the truth is told',
    async act => {
      const told = story();
      told.host.killBefore(act);
      expect(await told.pass()).toBe('killed');
      const called = told.host.calls.length;
      become(told, withdrawn());
      await goesOn(told);
      expect(told.host.calls).toHaveLength(called);
      expect(answer(told)?.state).toBe(called === 0 ? 'Cancelled' : 'Rebooted');
    },
  );

  test.each(MOMENTS)('the same, and the machine does not obey: Cancelled, once it will stay up', async act => {
    const told = story();
    told.host.set({ obeys: false });
    told.host.killBefore(act);
    await told.pass();
    const called = told.host.calls.length;
    become(told, withdrawn());
    await goesOn(told);
    expect(told.host.calls).toHaveLength(called);
    expect(answer(told)?.state).toBe('Cancelled');
  });

  test.each(MOMENTS)(
    'the same, and the power fails before act %i: Rebooted or Cancelled, never called again',
    async act => {
      const told = story();
      told.host.killBefore(act);
      await told.pass();
      const called = told.host.calls.length;
      if (called === 0) told.host.restart();
      become(told, withdrawn());
      await goesOn(told);
      expect(told.host.calls).toHaveLength(called);
      /* Before the journal there was no reboot of ours. */
      expect(answer(told)?.state).toBe(act === 1 ? 'Cancelled' : 'Rebooted');
    },
  );

  test.each([1, 2, 3])('and the agent that says so is killed before act %i: it is said all the same', async act => {
    const told = story(nodeAgent({ operation: withdrawn() }));
    told.host.killBefore(act);
    await told.pass();
    await goesOn(told);
    expect(answer(told)?.state).toBe('Cancelled');
    expect(told.host.files.has(SENTINEL)).toBe(false);
    expect(told.host.calls).toEqual([]);
  });

  test('a wish that comes back under the same id is not granted any more, not even with the journal lost', async () => {
    const told = story(nodeAgent({ operation: withdrawn() }));
    await told.pass();
    told.host.files.delete(JOURNAL);
    told.host.files.set(SENTINEL, bootIdOf(1));
    await told.start();
    become(told, asked());
    await goesOn(told);
    expect(told.host.calls).toEqual([]);
    expect(answer(told)?.state).toBe('Cancelled');
  });

  test('while the disk takes nothing: told, and done nothing', async () => {
    const told = story(nodeAgent({ operation: withdrawn() }));
    told.host.set({ diskFault: 'ENOSPC: no space left on device' });
    await goesOn(told);
    expect(answer(told)?.state).toBe('Cancelled');
    expect(told.host.calls).toEqual([]);
  });
});

describe('withdrawn, and the watch is late', () => {
  const late = async () => {
    const told = story();
    await told.start();
    told.hearNothing();
    become(told, withdrawn());
    return told;
  };

  test('the API server is asked before the first call: no reboot, Cancelled', async () => {
    const told = await late();
    await goesOn(told);
    expect(told.host.calls).toEqual([]);
    expect(answer(told)?.state).toBe('Cancelled');
    expect(told.host.files.has(SENTINEL)).toBe(false);
  });

  test('and the API server is away: nothing is begun, not even written down', async () => {
    const told = await late();
    told.cluster.away = true;
    await expect(told.pass()).rejects.toThrow('connection refused');
    expect(told.host.acts).toEqual([]);
    await goesOn(told);
    expect(told.host.calls).toEqual([]);
    told.cluster.away = false;
    await goesOn(told);
    expect(told.host.calls).toEqual([]);
    expect(answer(told)?.state).toBe('Cancelled');
  });

  test('the operation is gone altogether, and another holds the node: its own answer, no reboot', async () => {
    const told = await late();
    become(told, operation({ id: 'op-2' }));
    await goesOn(told);
    expect(told.host.calls).toEqual([]);
    expect(told.cluster.agent.status?.operation).toEqual({ id: 'op-2' });
  });
});

describe('sentinels that do not belong here', () => {
  const OTHERS = { [`${KAIROS_STATE_DIR}/other-n1-1767225600`]: bootIdOf(1) };

  test('of other operations are neither obeyed nor removed', async () => {
    const told = story(nodeAgent({ operation: asked() }), OTHERS);
    await told.pass();
    expect(told.host.calls).toEqual([]);
    expect(answer(told)?.state).toBe('Waiting');
    expect([...told.host.files.keys()]).toEqual(Object.keys(OTHERS));
  });

  test('several of one Job cause one reboot, and all of them go', async () => {
    const more = { [SENTINEL]: bootIdOf(1), [`${SENTINEL.slice(0, -1)}5`]: bootIdOf(1), ...OTHERS };
    const told = story(nodeAgent({ operation: asked() }), more);
    await told.pass();
    await told.start();
    await goesOn(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
    expect([...told.host.files.keys()].filter(file => !file.endsWith('.json'))).toEqual(Object.keys(OTHERS));
  });
});

describe('the wall clock jumps', () => {
  test.each([
    ['a year back', -YEAR],
    ['some minutes forth', 5 * MINUTE],
  ])('%s before the reboot and again after it: one reboot, told', async (_sentence, by) => {
    const told = story();
    told.clock.jump(by);
    await told.pass();
    told.clock.jump(-2 * by);
    await told.start();
    await goesOn(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
    expect(answer(told)?.state).toBe('Rebooted');
  });

  test('a year forth before it began: not begun, and both clocks are named', async () => {
    const told = story();
    told.clock.jump(YEAR);
    await told.pass();
    told.clock.jump(-YEAR);
    await goesOn(told);
    expect(told.host.calls).toEqual([]);
    expect(answer(told)).toMatchObject({ state: 'Failed', message: expect.stringContaining('2027-01-01') });
  });

  test('a year forth right after a call: given up only when the call can be taken for lost', async () => {
    const told = story();
    told.host.set({ obeys: false });
    await told.pass();
    told.clock.jump(YEAR);
    await told.pass();
    expect(answer(told)?.state).toBe('Rebooting');
    await told.clock.advance(5 * MINUTE);
    await told.pass();
    expect(answer(told)?.state).toBe('Failed');
    expect(told.host.calls).toHaveLength(1);
  });

  test('a year back right after a call: called again after five minutes, not earlier', async () => {
    const told = story();
    told.host.set({ obeys: false });
    await told.pass();
    told.clock.jump(-YEAR);
    await told.clock.advance(5 * MINUTE - 1);
    await told.pass();
    expect(told.host.calls).toHaveLength(1);
    await told.clock.advance(1);
    await told.pass();
    expect(told.host.calls).toHaveLength(2);
  });
});

describe('a disk that takes nothing', () => {
  test.each(['ENOSPC: no space left on device', 'EROFS: read-only file system'])(
    'until the wish ends: no reboot, said all the while, and the end is told: %s',
    async diskFault => {
      const told = story();
      told.host.set({ diskFault });
      await expect(told.pass()).rejects.toThrow(diskFault);
      expect(answer(told)).toMatchObject({ state: 'Waiting', message: `not rebooted yet: ${diskFault}` });
      await goesOn(told);
      expect(answer(told)?.state).toBe('Failed');
      expect(told.host.calls).toEqual([]);
      told.host.set({ diskFault: undefined });
      told.clock.jump(-YEAR);
      await told.start();
      await goesOn(told);
      expect(told.host.calls).toEqual([]);
      expect(answer(told)?.state).toBe('Failed');
    },
  );
});

describe('it comes up with another system', () => {
  test.each([
    ['passive', 'root=LABEL=COS_PASSIVE cos-img/filename=/cOS/passive.img'],
    ['recovery', 'root=LABEL=COS_SYSTEM cos-img/filename=/cOS/recovery.img'],
  ])('%s: rebooted it has, and the label and the fall say into what', async (state, cmdline) => {
    const check = { release: { version: 'v3.6.0' } };
    const told = story(nodeAgent({ operation: asked({ check }) }));
    await told.pass();
    told.host.set({ cmdline });
    await told.start();
    await goesOn(told);
    expect(told.host.calls).toEqual([bootIdOf(1)]);
    expect(answer(told)?.state).toBe('Rebooted');
    expect(told.cluster.agent.status).toMatchObject({ boot: { state }, fellBack: { version: 'v3.6.0' } });
    expect(JSON.stringify(told.cluster.nodePatches.at(-1))).toContain(`"kairos.io/boot-state":"${state}"`);
  });
});
