/** Every mishap there is for a story: one plan for each act of each program. */
import { KubeError } from '../../kube/errors.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { Act } from '../fakes/cluster/program.js';
import type { Plan, Told } from './replay.js';

/** Of those programs that did anything. */
function each(calm: Told, make: (act: Act) => Plan[]): Plan[] {
  return calm.acts.flatMap(make);
}

const isController = (name: string) => name.startsWith('controller');

/** Killed before it is done, and after, before the answer is heard. */
export const kills = (calm: Told): Plan[] =>
  each(calm, ({ program, number }) => [
    { program, act: number, what: 'killed before it', mishap: () => ({ is: 'killBefore' }) },
    { program, act: number, what: 'killed after it', mishap: () => ({ is: 'killAfter' }) },
  ]);

/** The lease lasts 30 s: by then the successor leads, and has begun. */
const ASLEEP_SECONDS = [33, 50];

/** Stopped before it; another one leads and works on; then the old leader wakes up and does it. */
export const freezes = (calm: Told): Plan[] =>
  each(calm, ({ program, number }) =>
    (isController(program) ? ASLEEP_SECONDS : [20]).map(seconds => ({
      program,
      act: number,
      what: `frozen before it for ${seconds} s`,
      mishap: cluster => {
        sleeps(cluster, program, seconds);
        return { is: 'freezeBefore' };
      },
    })),
  );

function sleeps(cluster: FakeCluster, name: string, seconds: number): void {
  const sleeper = cluster.programs().find(program => program.name === name);
  if (isController(name)) cluster.controllers[1]?.start();
  cluster.clock.after(seconds * 1000, () => sleeper?.thaw());
}

/** Refused by a conflict, by a server that is not well, or done while its answer gets lost. */
export const faults = (calm: Told): Plan[] =>
  each(calm, ({ program, number }) => [
    {
      program,
      act: number,
      what: 'refused by a conflict',
      mishap: () => ({ is: 'fault', error: new KubeError(409, 'the object has been modified', 'Conflict') }),
    },
    {
      program,
      act: number,
      what: 'refused by a server that is not well',
      mishap: () => ({ is: 'fault', error: new KubeError(503, 'etcdserver: leader changed', 'ServiceUnavailable') }),
    },
    {
      program,
      act: number,
      what: 'done, and its answer lost',
      mishap: () => ({ is: 'lost', error: new Error('socket hang up') }),
    },
  ]);

const STALE_SECONDS = 12;

/** From this act on the controller hears nothing for a while; what it writes itself it knows. */
export const stale = (calm: Told): Plan[] =>
  each(calm, ({ program, number }) =>
    isController(program)
      ? [
          {
            program,
            act: number,
            what: `nothing heard for ${STALE_SECONDS} s from it on`,
            mishap: cluster => ({ is: 'meanwhile', call: () => deafen(cluster) }),
          },
        ]
      : [],
  );

function deafen(cluster: FakeCluster): void {
  const until = cluster.clock.monotonic() + STALE_SECONDS * 1000;
  cluster.delay = program => (isController(program) ? Math.max(until - cluster.clock.monotonic(), 0) : 0);
}

const WATCHED = ['nodes', 'pods', 'jobs', 'nodeagents', 'nodeops', 'nodeopupgrades', 'poddisruptionbudgets'];

/** Events that each watch in turn may lose; a story has few more of a kind. */
const MOST_LOST = 24;

/** An object of which a controller never heard cannot be missed by it. */
const WISHES = ['nodeops', 'nodeopupgrades'];

/** One event never delivered to the controller: each of the first of each watch in turn. */
export const unheard = (): Plan[] =>
  WATCHED.flatMap(plural =>
    Array.from({ length: MOST_LOST }, (_, index) => ({
      program: 'controller-a',
      act: 0,
      what: `event ${index + 1} of ${plural} never delivered`,
      mishap: () => ({ is: 'meanwhile' as const, call: () => undefined }),
      prepare: (cluster: FakeCluster) => {
        let heard = 0;
        cluster.delay = (program, which) =>
          isController(program) && which === plural && (heard += 1) === index + 1 ? Infinity : 0;
      },
    })).slice(WISHES.includes(plural) ? 2 : 0),
  );

const LATE_MS = 4_000;

/** Each watch late in turn, all the time; an act of number 0 does not exist. */
export const late = (): Plan[] =>
  WATCHED.map(plural => ({
    program: 'controller-a',
    act: 0,
    what: `events of ${plural} ${LATE_MS} ms late`,
    mishap: () => ({ is: 'meanwhile', call: () => undefined }),
    prepare: cluster => {
      cluster.delay = (_program, which) => (which === plural ? LATE_MS : 0);
    },
  }));
