/** Every published reason is reported in at least one scenario. */
import { describe, expect, test } from '@jest/globals';
import { type Reason, REASON_NAMES } from '../../api/reasons.js';
import * as final from './reasons-final.js';
import { reasonsIn, type ReasonScenario } from './reasons-setup.js';
import * as waiting from './reasons-waiting.js';

/** Does not compile when the scenario of a reason is missing, or when a reason no longer exists. */
const SCENARIOS: Readonly<Record<Reason, ReasonScenario>> = {
  Done: final.rebooted,
  Skipped: final.skipped,
  AgentNotAnswering: final.withoutAgent,
  StateDirNotWritable: final.stateDirNotWritable,
  PreflightFailed: final.preflightFailed,
  PreflightTimeout: final.preflightTimedOut,
  ImagePullFailed: final.pullFailed,
  DrainTimeout: final.drainTimedOut,
  DrainRefused: final.drainRefused,
  NotStarted: final.notStarted,
  PodRefused: final.namespaceTerminating,
  JobTimeout: final.jobTimedOut,
  JobFailed: final.jobFailed,
  SentinelFailed: final.sentinelFailed,
  JobDeleted: final.jobDeleted,
  UncordonRefused: final.uncordonRefused,
  Unreachable: final.unreachable,
  NotRebooted: final.notRebooted,
  NotSettled: final.notSettled,
  FellBack: final.fellBack,
  NodeReplaced: final.replaced,
  NodeRemoved: final.removed,
  NodeNotReady: waiting.notReady,
  Deleted: final.deleted,
  Interrupted: final.interrupted,
  WaitingForTurn: final.rebooted,
  WaitingForOperation: waiting.twoOperations,
  WaitingForAgent: final.withoutAgent,
  WaitingForControlPlanes: waiting.controlPlaneFirst,
  Pulling: final.pullFailed,
  Draining: final.drainTimedOut,
  JobRunning: final.rebooted,
  Rebooting: final.rebooted,
  Settling: final.rebooted,
  Paused: waiting.paused,
  Stopped: waiting.stopped,
  ControlPlaneNotReady: waiting.otherNotReady,
  NoTargets: waiting.noTargets,
  Progressing: final.rebooted,
  AllDone: final.rebooted,
  NodesFailed: final.jobFailed,
  NameTaken: waiting.nameTaken,
  NodeOpDeleted: waiting.nodeOpDeleted,
  ProbeFailed: waiting.probeFailed,
  Probing: waiting.probeFailed,
  Restored: waiting.restored,
  InvalidSpec: waiting.invalid,
  NamespaceNotAllowed: waiting.namespaceNotAllowed,
  Started: final.rebooted,
  Cordoned: final.rebooted,
  Uncordoned: final.rebooted,
  DrainBlocked: final.drainTimedOut,
  DrainSkipped: waiting.drainSkipped,
  PodsStay: waiting.podsStay,
  RebootAsked: final.rebooted,
  Rebooted: final.rebooted,
  RegisteredAnew: final.registeredAnew,
  PreflightWarning: waiting.olderVersion,
  ClockSkew: final.clockSkewed,
  Retried: waiting.retried,
  TakenOver: final.interrupted,
};

/** The reasons of each scenario, which runs only once. */
const reasons = new Map<ReasonScenario, Promise<ReadonlySet<string>>>();

function reasonsOf(scenario: ReasonScenario): Promise<ReadonlySet<string>> {
  const known = reasons.get(scenario) ?? reasonsIn(scenario);
  reasons.set(scenario, known);
  return known;
}

/** Generous, so that a slow machine does not fail the test. */
const TIMEOUT_MS = 60_000;

describe('every reason', () => {
  test('has a scenario', () => expect(Object.keys(SCENARIOS).toSorted()).toEqual(REASON_NAMES.toSorted()));

  test.each(Object.entries(SCENARIOS))(
    '%s is reported in its scenario',
    async (reason, scenario) => expect([...(await reasonsOf(scenario))]).toContain(reason),
    TIMEOUT_MS,
  );
});

describe('the scenarios', () => {
  test(
    'report no reason that is not published',
    async () => {
      const reported = await Promise.all([...reasons.values()]);
      const known = new Set<string>(REASON_NAMES);
      expect(reported.flatMap(each => [...each]).filter(reason => !known.has(reason))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
