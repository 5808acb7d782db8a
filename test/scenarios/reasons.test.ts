/** No reason is a dead word: each is said in a short story, to whom it concerns. */
import { describe, expect, test } from '@jest/globals';
import { type Reason, REASON_NAMES } from '../../api/reasons.js';
import * as endings from './reasons-final.js';
import { reasonsIn, type ReasonScenario } from './reasons-setup.js';
import * as waits from './reasons-waiting.js';

/** Does not compile when a reason is missing, nor when one is gone. */
const STORIES: Readonly<Record<Reason, ReasonScenario>> = {
  Done: endings.rebooted,
  Skipped: endings.skipped,
  AgentNotAnswering: endings.withoutAgent,
  PreflightFailed: endings.refused,
  PreflightTimeout: endings.lookedTooLong,
  ImagePullFailed: endings.unpulled,
  DrainTimeout: endings.undrained,
  DrainRefused: endings.inTheWay,
  NotStarted: endings.unstarted,
  PodRefused: endings.namespaceEnds,
  JobTimeout: endings.tooSlow,
  JobFailed: endings.broken,
  JobDeleted: endings.jobDeleted,
  Unreachable: endings.unreachable,
  NotRebooted: endings.stayedUp,
  NotSettled: endings.unwell,
  FellBack: endings.fellBack,
  NodeReplaced: endings.replaced,
  NodeRemoved: endings.removed,
  NodeNotReady: waits.notReady,
  Deleted: endings.deleted,
  Interrupted: endings.interrupted,
  WaitingForTurn: endings.rebooted,
  WaitingForOperation: waits.twoOperations,
  WaitingForAgent: endings.withoutAgent,
  WaitingForControlPlanes: waits.controlPlaneFirst,
  Pulling: endings.unpulled,
  Draining: endings.undrained,
  JobRunning: endings.rebooted,
  Rebooting: endings.rebooted,
  Settling: endings.rebooted,
  Paused: waits.paused,
  Stopped: waits.stopped,
  ControlPlaneNotReady: waits.otherNotReady,
  NoTargets: waits.nobody,
  Progressing: endings.rebooted,
  AllDone: endings.rebooted,
  NodesFailed: endings.broken,
  NameTaken: waits.nameTaken,
  NodeOpDeleted: waits.nodeOpDeleted,
  ProbeFailed: waits.unread,
  Probing: waits.unread,
  InvalidSpec: waits.invalid,
  NamespaceNotAllowed: waits.notObeyed,
  Started: endings.rebooted,
  Cordoned: endings.rebooted,
  Uncordoned: endings.rebooted,
  DrainBlocked: endings.undrained,
  DrainSkipped: waits.nowhereToGo,
  PodsStay: waits.bare,
  RebootAsked: endings.rebooted,
  Rebooted: endings.rebooted,
  PreflightWarning: waits.older,
  Retried: waits.retried,
  TakenOver: endings.interrupted,
};

/** Each story is told once. */
const said = new Map<ReasonScenario, Promise<ReadonlySet<string>>>();

function reasonsOf(scenario: ReasonScenario): Promise<ReadonlySet<string>> {
  const known = said.get(scenario) ?? reasonsIn(scenario);
  said.set(scenario, known);
  return known;
}

/** A slow machine is no reason to fail. */
const TIMEOUT_MS = 60_000;

describe('every reason', () => {
  test('has a story', () => expect(Object.keys(STORIES).toSorted()).toEqual(REASON_NAMES.toSorted()));

  test.each(Object.entries(STORIES))(
    '%s is said in a story',
    async (reason, scenario) => expect([...(await reasonsOf(scenario))]).toContain(reason),
    TIMEOUT_MS,
  );
});

describe('no story', () => {
  test(
    'says a word that is not among the reasons',
    async () => {
      const words = await Promise.all([...said.values()]);
      const known = new Set<string>(REASON_NAMES);
      expect(words.flatMap(each => [...each]).filter(word => !known.has(word))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
