/** The faults that can be injected into a scenario: one or more plans for each mutation of each program. */
import { KubeError } from '../../kube/errors.js';
import type { FakeCluster } from '../fakes/cluster/cluster.js';
import type { Mutation } from '../fakes/cluster/program.js';
import type { FaultPlan, ScenarioResult } from './run-scenario.js';

/** Plans for every mutation of the run without faults. */
function forEachMutation(baseline: ScenarioResult, make: (mutation: Mutation) => FaultPlan[]): FaultPlan[] {
  return baseline.mutations.flatMap(make);
}

const isController = (name: string) => name.startsWith('controller');

/** Killed before the mutation, and after it but before the response arrives. */
export const kills = (baseline: ScenarioResult): FaultPlan[] =>
  forEachMutation(baseline, ({ program, number }) => [
    { program, mutation: number, description: 'killed before it', fault: () => ({ kind: 'killBefore' }) },
    { program, mutation: number, description: 'killed after it', fault: () => ({ kind: 'killAfter' }) },
  ]);

/** The lease lasts 30 s: after it the next leader has started, or has already worked for a while. */
const FROZEN_SECONDS = [33, 50];

/** Frozen before the mutation; another replica leads and works meanwhile; then the old leader is thawed and performs it. */
export const freezes = (baseline: ScenarioResult): FaultPlan[] =>
  forEachMutation(baseline, ({ program, number }) =>
    (isController(program) ? FROZEN_SECONDS : [20]).map(seconds => ({
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
  const frozen = cluster.programs().find(program => program.name === name);
  if (isController(name)) cluster.controllers[1]?.start();
  cluster.clock.callAfter(seconds * 1000, () => frozen?.thaw());
}

/** Rejected with a conflict, failed with a server error, or performed while the response is lost. */
export const requestErrors = (baseline: ScenarioResult): FaultPlan[] =>
  forEachMutation(baseline, ({ program, number }) => [
    {
      program,
      mutation: number,
      description: 'rejected with a conflict',
      fault: () => ({ kind: 'error', error: new KubeError(409, 'the object has been modified', 'Conflict') }),
    },
    {
      program,
      mutation: number,
      description: 'failed with a server error',
      fault: () => ({ kind: 'error', error: new KubeError(503, 'etcdserver: leader changed', 'ServiceUnavailable') }),
    },
    {
      program,
      mutation: number,
      description: 'performed, and its response lost',
      fault: () => ({ kind: 'responseLost', error: new Error('socket hang up') }),
    },
  ]);

const STALE_SECONDS = 12;

/** From the mutation on the controller gets no watch events for a while; it still knows its own writes. */
export const staleCaches = (baseline: ScenarioResult): FaultPlan[] =>
  forEachMutation(baseline, ({ program, number }) =>
    isController(program)
      ? [
          {
            program,
            mutation: number,
            description: `no watch events for ${STALE_SECONDS} s from it on`,
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

/** How many events of each watch are lost in turn; few scenarios have more events of one resource. */
const MAX_LOST = 24;

/** Their first events are never lost: the controller cannot act on an object whose creation it has not observed. */
const OPERATIONS = ['nodeops', 'nodeopupgrades'];

/** One watch event is never delivered to the controller: each of the first events of each watch in turn. */
export const missedEvents = (): FaultPlan[] =>
  WATCHED.flatMap(plural =>
    Array.from({ length: MAX_LOST }, (_, index) => ({
      program: 'controller-a',
      mutation: 0,
      description: `event ${index + 1} of ${plural} never delivered`,
      fault: () => ({ kind: 'runBefore' as const, call: () => undefined }),
      prepare: (cluster: FakeCluster) => {
        let received = 0;
        cluster.watchDelay = (program, which) =>
          isController(program) && which === plural && (received += 1) === index + 1 ? Infinity : 0;
      },
    })).slice(OPERATIONS.includes(plural) ? 2 : 0),
  );

const LATE_MS = 4_000;

/** All events of one watch are late, for each watch in turn; mutation 0 does not exist, so no other fault is injected. */
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
