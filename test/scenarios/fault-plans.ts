/** Every mishap there is for a story: one plan for each act of each program. */
import { KubeError } from '../../kube/errors.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { Mutation } from '../fakes/cluster/program.js';
import type { FaultPlan, ScenarioResult } from './run-scenario.js';

/** Of those programs that did anything. */
function each(calm: ScenarioResult, make: (mutation: Mutation) => FaultPlan[]): FaultPlan[] {
  return calm.mutations.flatMap(make);
}

const isController = (name: string) => name.startsWith('controller');

/** Killed before it is done, and after, before the answer is heard. */
export const kills = (calm: ScenarioResult): FaultPlan[] =>
  each(calm, ({ program, number }) => [
    { program, mutation: number, description: 'killed before it', fault: () => ({ kind: 'killBefore' }) },
    { program, mutation: number, description: 'killed after it', fault: () => ({ kind: 'killAfter' }) },
  ]);

/** The lease lasts 30 s: by then the successor leads, and has begun. */
const ASLEEP_SECONDS = [33, 50];

/** Stopped before it; another one leads and works on; then the old leader wakes up and does it. */
export const freezes = (calm: ScenarioResult): FaultPlan[] =>
  each(calm, ({ program, number }) =>
    (isController(program) ? ASLEEP_SECONDS : [20]).map(seconds => ({
      program,
      mutation: number,
      description: `frozen before it for ${seconds} s`,
      fault: cluster => {
        freezeFor(cluster, program, seconds);
        return { kind: 'freezeBefore' };
      },
    })),
  );

function freezeFor(cluster: FakeCluster, name: string, seconds: number): void {
  const sleeper = cluster.programs().find(program => program.name === name);
  if (isController(name)) cluster.controllers[1]?.start();
  cluster.clock.callAfter(seconds * 1000, () => sleeper?.thaw());
}

/** Refused by a conflict, by a server that is not well, or done while its answer gets lost. */
export const requestErrors = (calm: ScenarioResult): FaultPlan[] =>
  each(calm, ({ program, number }) => [
    {
      program,
      mutation: number,
      description: 'refused by a conflict',
      fault: () => ({ kind: 'error', error: new KubeError(409, 'the object has been modified', 'Conflict') }),
    },
    {
      program,
      mutation: number,
      description: 'refused by a server that is not well',
      fault: () => ({ kind: 'error', error: new KubeError(503, 'etcdserver: leader changed', 'ServiceUnavailable') }),
    },
    {
      program,
      mutation: number,
      description: 'done, and its answer lost',
      fault: () => ({ kind: 'responseLost', error: new Error('socket hang up') }),
    },
  ]);

const STALE_SECONDS = 12;

/** From this act on the controller hears nothing for a while; what it writes itself it knows. */
export const staleCaches = (calm: ScenarioResult): FaultPlan[] =>
  each(calm, ({ program, number }) =>
    isController(program)
      ? [
          {
            program,
            mutation: number,
            description: `nothing heard for ${STALE_SECONDS} s from it on`,
            fault: cluster => ({ kind: 'runBefore', call: () => delayEvents(cluster) }),
          },
        ]
      : [],
  );

function delayEvents(cluster: FakeCluster): void {
  const until = cluster.clock.monotonic() + STALE_SECONDS * 1000;
  cluster.watchDelay = program => (isController(program) ? Math.max(until - cluster.clock.monotonic(), 0) : 0);
}

const WATCHED = ['nodes', 'pods', 'jobs', 'nodeagents', 'nodeops', 'nodeopupgrades', 'poddisruptionbudgets'];

/** Events that each watch in turn may lose; a story has few more of a kind. */
const MOST_LOST = 24;

/** An object of which a controller never heard cannot be missed by it. */
const WISHES = ['nodeops', 'nodeopupgrades'];

/** One event never delivered to the controller: each of the first of each watch in turn. */
export const missedEvents = (): FaultPlan[] =>
  WATCHED.flatMap(plural =>
    Array.from({ length: MOST_LOST }, (_, index) => ({
      program: 'controller-a',
      mutation: 0,
      description: `event ${index + 1} of ${plural} never delivered`,
      fault: () => ({ kind: 'runBefore' as const, call: () => undefined }),
      prepare: (cluster: FakeCluster) => {
        let heard = 0;
        cluster.watchDelay = (program, which) =>
          isController(program) && which === plural && (heard += 1) === index + 1 ? Infinity : 0;
      },
    })).slice(WISHES.includes(plural) ? 2 : 0),
  );

const LATE_MS = 4_000;

/** Each watch late in turn, all the time; an act of number 0 does not exist. */
export const lateEvents = (): FaultPlan[] =>
  WATCHED.map(plural => ({
    program: 'controller-a',
    mutation: 0,
    description: `events of ${plural} ${LATE_MS} ms late`,
    fault: () => ({ kind: 'runBefore', call: () => undefined }),
    prepare: cluster => {
      cluster.watchDelay = (_program, which) => (which === plural ? LATE_MS : 0);
    },
  }));
