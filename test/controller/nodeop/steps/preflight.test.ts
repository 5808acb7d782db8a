import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, pod, reached, secondsAgo } from '../../../builders.js';
import { outcomeOf, UPGRADE, answering } from './walk-outcome.js';

describe('A preflight', () => {
  const exited = (exitCode: number, message = '') =>
    pod('pre', { containers: [{ name: 'preflight', state: { terminated: { exitCode, message } } }] });
  /** Started by the clock of its node, which may be ahead or behind. */
  const running = (seconds = 5) =>
    pod('pre', { containers: [{ name: 'preflight', state: { running: { startedAt: secondsAgo(seconds) } } }] });
  const seenRunning = (seconds: number) =>
    reached('Preflight', { waiting: { for: 'uid-pre running', since: secondsAgo(seconds) } }, 900);
  const COMMAND = { preflight: { command: ['check'] } };
  const at = reached('Preflight');
  const withImage = node('n1', { images: ['registry.example/tool:1'] });
  const waiting = (reason: string, message?: string) =>
    pod('pre', { phase: 'Pending', containers: [{ name: 'preflight', state: { waiting: { reason, message } } }] });
  test.each<[string, object, Partial<Facts>, string]>([
    [
      'waits for the agent to compare releases',
      UPGRADE,
      { agent: answering(), ledger: at },
      'Preflight: wait WaitingForAgent',
    ],
    [
      'skips a node that the agent reports as current',
      UPGRADE,
      { agent: answering({ verdict: 'Skip', message: 'node is already at v2' }), ledger: at },
      'Preflight: Completed Skipped',
    ],
    [
      'fails a node that the agent refuses',
      UPGRADE,
      { agent: answering({ verdict: 'Refuse' }), ledger: at },
      'Preflight: Failed PreflightFailed',
    ],
    [
      'lets the operation proceed where the agent agrees',
      UPGRADE,
      { agent: answering({ verdict: 'Proceed' }), ledger: at },
      'Cordon: record Cordon',
    ],
    ['is recorded before its Pod is created', COMMAND, {}, 'Preflight: record Preflight'],
    ['creates a Pod for its command', COMMAND, { ledger: at }, 'Preflight: createPod'],
    [
      'lets the operation proceed after exit code 0 without a message',
      COMMAND,
      { ledger: at, preflightPod: exited(0) },
      'Run: record Run',
    ],
    [
      'skips the node after exit code 0 with a message',
      COMMAND,
      { ledger: at, preflightPod: exited(0, 'up to date') },
      'Preflight: Completed Skipped',
    ],
    [
      'fails the node after another exit code',
      COMMAND,
      { ledger: at, preflightPod: exited(3) },
      'Preflight: Failed PreflightFailed',
    ],
    [
      'is in progress while its command runs',
      COMMAND,
      { ledger: reached('Preflight', {}, 4), preflightPod: running() },
      'Preflight: wait Progressing',
    ],
    [
      'has recorded that its command was seen running, unless it has just begun',
      COMMAND,
      { ledger: reached('Preflight', {}, 5), preflightPod: running() },
      'Preflight: record',
    ],
    [
      'has recorded the command of another Pod anew',
      COMMAND,
      {
        ledger: reached('Preflight', { waiting: { for: 'uid-lost running', since: secondsAgo(500) } }, 900),
        preflightPod: running(),
      },
      'Preflight: record',
    ],
    [
      'is in progress until its deadline, counted from when its command was seen running',
      COMMAND,
      { ledger: seenRunning(119), preflightPod: running() },
      'Preflight: wait Progressing',
    ],
    [
      'is in progress until its deadline on a node whose clock is two hours behind',
      COMMAND,
      { ledger: seenRunning(119), preflightPod: running(7200) },
      'Preflight: wait Progressing',
    ],
    [
      'fails at its deadline',
      COMMAND,
      { ledger: seenRunning(120), preflightPod: running() },
      'Preflight: Failed PreflightTimeout',
    ],
    [
      'fails at its deadline on a node whose clock is two hours ahead',
      COMMAND,
      { ledger: seenRunning(120), preflightPod: running(-7200) },
      'Preflight: Failed PreflightTimeout',
    ],
    [
      'reports the kubelet’s message about its image',
      COMMAND,
      { ledger: at, preflightPod: waiting('ErrImagePull', 'connection refused') },
      'Preflight: wait Pulling',
    ],
    [
      'waits for a Pod whose image is on the node',
      COMMAND,
      { ledger: reached('Preflight', {}, 599), preflightPod: waiting('ContainerCreating'), node: withImage },
      'Preflight: wait Progressing',
    ],
    [
      'waits for its own image even if the image of the Job is on the node',
      { preflight: { command: ['check'], image: 'registry.example/check:1' } },
      { ledger: reached('Preflight', {}, 900), preflightPod: waiting('ContainerCreating'), node: withImage },
      'Preflight: wait Pulling',
    ],
    [
      'fails when its Pod does not start within startDeadlineSeconds',
      COMMAND,
      { ledger: reached('Preflight', {}, 600), preflightPod: waiting('ContainerCreating'), node: withImage },
      'Preflight: Failed NotStarted',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});

describe('A preflight Pod to which admission added a container', () => {
  const ledger = reached('Preflight', {}, 4);
  const proxy = { name: 'istio-proxy', state: { running: {} } };
  const ended = { name: 'istio-proxy', state: { terminated: { exitCode: 0 } } };
  const withOurs = (added: typeof proxy | typeof ended, state: object, phase = 'Running') =>
    pod('pre', { phase, containers: [added, { name: 'preflight', state }] });
  test.each<[string, ReturnType<typeof pod>, string]>([
    ['fails the node by its own exit code', withOurs(ended, { terminated: { exitCode: 3 } }), 'Failed PreflightFailed'],
    [
      'skips the node by its own message',
      withOurs(proxy, { terminated: { exitCode: 0, message: 'done' } }),
      'Completed Skipped',
    ],
    ['is in progress while its own command runs', withOurs(ended, { running: {} }), 'wait Progressing'],
    [
      'is in progress while its own image is pulled',
      withOurs(proxy, { waiting: { reason: 'ErrImagePull', message: 'timeout' } }),
      'wait Pulling',
    ],
  ])('%s', (_title, preflightPod, expected) =>
    expect(outcomeOf(facts({ preflight: { command: ['check'] } }, { ledger, preflightPod }))).toBe(
      `Preflight: ${expected}`,
    ),
  );

  test('is done with an exit code 0 of its own, while the other container still runs', () =>
    expect(
      outcomeOf(
        facts(
          { preflight: { command: ['check'] } },
          { ledger, preflightPod: withOurs(proxy, { terminated: { exitCode: 0 } }) },
        ),
      ),
    ).toBe('Run: record Run'));
});
