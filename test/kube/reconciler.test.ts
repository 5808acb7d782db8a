import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { KubeError } from '../../kube/errors.js';
import { type Outcome, type Reconciler, type ReconcilerOptions, reconciler } from '../../kube/reconciler.js';
import { silentLog } from '../../program/log.js';
import { type FakeClock, fakeClock } from '../fakes/clock.js';

let clock: FakeClock;
let stop: AbortController;
let running: Promise<void>;
let runs: string[];
beforeEach(() => {
  clock = fakeClock();
  stop = new AbortController();
  running = Promise.resolve();
  runs = [];
});
afterEach(async () => {
  stop.abort();
  await running;
});

function start(reconcile: (key: string) => Promise<Outcome>, more: Partial<ReconcilerOptions> = {}): Reconciler {
  const made = reconciler({
    name: 'things',
    log: silentLog,
    clock,
    random: () => 1,
    reconcile: async key => {
      runs.push(`${key}@${clock.monotonic()}`);
      return reconcile(key);
    },
    ...more,
  });
  running = made.run(stop.signal);
  return made;
}
const settled = async (): Promise<Outcome> => ({ then: 'settled' });

describe('the outcome of a reconcile', () => {
  test('settled: the key runs again only when it is queued', async () => {
    const loop = start(settled);
    loop.enqueue('a');
    await clock.advance(3_600_000);
    loop.enqueue('a');
    await clock.advance(0);
    expect(runs).toEqual(['a@0', 'a@3600000']);
  });

  test('requeue: the key runs again after the delay', async () => {
    const loop = start(async () => ({ then: 'requeue', afterMs: 1_000 }));
    loop.enqueue('a');
    await clock.advance(2_500);
    expect(runs.map(run => Math.round(Number(run.split('@')[1]) / 1_000))).toEqual([0, 1, 2]);
  });

  test('giveUp: the reason is logged and the key does not run again by itself', async () => {
    const logged: unknown[] = [];
    const log = {
      ...silentLog,
      child: () => ({ ...silentLog, error: (...entry: unknown[]) => void logged.push(entry) }),
    };
    const loop = start(async () => ({ then: 'giveUp', why: 'makes no sense' }), { log });
    loop.enqueue('a');
    await clock.advance(3_600_000);
    expect(runs).toHaveLength(1);
    expect(logged).toEqual([[{ object: 'a', why: 'makes no sense' }, 'reconcile gave up']]);
  });

  test('failed: the key is retried with backoff, but no later than the given delay', async () => {
    let runsLeft = 5;
    const loop = start(async () => {
      runsLeft -= 1;
      return runsLeft > 0 ? { then: 'failed', error: new Error('not now'), afterMs: 1_200 } : { then: 'settled' };
    });
    loop.enqueue('a');
    await clock.advance(60_000);
    expect(runs).toEqual(['a@0', 'a@500', 'a@1500', 'a@2700', 'a@3900']);
  });

  test('a thrown error: the key is retried with a doubling backoff until it succeeds', async () => {
    let failures = 3;
    const loop = start(async () => {
      failures -= 1;
      if (failures >= 0) throw new Error('not now');
      return { then: 'settled' };
    });
    loop.enqueue('a');
    await clock.advance(60_000);
    expect(runs).toEqual(['a@0', 'a@500', 'a@1500', 'a@3500']);
  });

  test('a synchronous throw: the worker continues and retries the key', async () => {
    const loop = start(settled, {
      reconcile: key => {
        runs.push(key);
        if (runs.length === 1) throw new Error('at once');
        return settled();
      },
    });
    loop.enqueue('a');
    await clock.advance(1_000);
    expect(runs).toEqual(['a', 'a']);
  });

  test('a conflict: the key is retried very soon, but backs off when the conflict persists', async () => {
    const loop = start(async () => {
      throw new KubeError(409, 'changed', 'Conflict');
    });
    loop.enqueue('a');
    await clock.advance(300);
    expect(runs).toEqual(['a@0', 'a@100', 'a@200', 'a@300']);
    await clock.advance(600_000);
    expect(runs.length).toBeLessThan(25);
  });
});

describe('workers', () => {
  test('process several keys concurrently, but never the same key', async () => {
    const open = new Map<string, () => void>();
    const loop = start(key => new Promise(resolve => open.set(key, () => resolve({ then: 'settled' }))), {
      workers: 2,
    });
    for (const key of ['a', 'b', 'c']) loop.enqueue(key);
    await clock.advance(0);
    loop.enqueue('a');
    await clock.advance(0);
    expect(runs).toEqual(['a@0', 'b@0']);
    open.get('a')?.();
    await clock.advance(0);
    open.get('c')?.();
    await clock.advance(0);
    expect(runs).toEqual(['a@0', 'b@0', 'c@0', 'a@0']);
    for (const finish of open.values()) finish();
  });

  test('finish their running reconciles after a stop', async () => {
    const finish = { now: () => {} };
    const loop = start(() => new Promise(resolve => (finish.now = () => resolve({ then: 'settled' }))));
    loop.enqueue('a');
    loop.enqueue('b');
    await clock.advance(0);
    stop.abort();
    let ended = false;
    void running.then(() => (ended = true));
    await clock.advance(0);
    expect(ended).toBe(false);
    finish.now();
    await running;
    expect(runs).toEqual(['a@0']);
  });

  test('report how each run ended and how many keys are queued', async () => {
    const ended: string[] = [];
    const loop = start(settled, { onRun: run => ended.push(`${run.key} ${run.ended} ${run.waiting}`) });
    loop.enqueue('a');
    loop.enqueue('b');
    await clock.advance(0);
    expect(ended).toEqual(['a settled 1', 'b settled 0']);
  });
});
