import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { facts, node, pod, reached, secondsAgo } from '../../../builders.js';
import { outcomeOf, UPGRADE, answering } from './walk-outcome.js';

describe('Preflight', () => {
  const exited = (exitCode: number, message = '') =>
    pod('pre', { containers: [{ name: 'preflight', state: { terminated: { exitCode, message } } }] });
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
      'skips the node the agent says is current',
      UPGRADE,
      { agent: answering({ verdict: 'Skip', message: 'node is already at v2' }), ledger: at },
      'Preflight: Completed Skipped',
    ],
    [
      'fails the node the agent refuses',
      UPGRADE,
      { agent: answering({ verdict: 'Refuse' }), ledger: at },
      'Preflight: Failed PreflightFailed',
    ],
    [
      'goes on where the agent says so',
      UPGRADE,
      { agent: answering({ verdict: 'Proceed' }), ledger: at },
      'Cordon: record Cordon',
    ],
    ['writes itself down before a Pod is made', COMMAND, {}, 'Preflight: record Preflight'],
    ['makes the Pod of the command', COMMAND, { ledger: at }, 'Preflight: createPod'],
    ['takes silence and exit 0 for go', COMMAND, { ledger: at, preflightPod: exited(0) }, 'Run: record Run'],
    [
      'takes words and exit 0 for nothing to do',
      COMMAND,
      { ledger: at, preflightPod: exited(0, 'all is well') },
      'Preflight: Completed Skipped',
    ],
    [
      'takes another exit code for no',
      COMMAND,
      { ledger: at, preflightPod: exited(3) },
      'Preflight: Failed PreflightFailed',
    ],
    [
      'is told as under way while its command runs',
      COMMAND,
      { ledger: at, preflightPod: pod('pre', { startedAt: secondsAgo(5) }) },
      'Preflight: wait Progressing',
    ],
    [
      'counts the deadline from the start of the container',
      COMMAND,
      { ledger: at, preflightPod: pod('pre', { startedAt: secondsAgo(120) }) },
      'Preflight: Failed PreflightTimeout',
    ],
    [
      'tells what the kubelet says of its image',
      COMMAND,
      { ledger: at, preflightPod: waiting('ErrImagePull', 'connection refused') },
      'Preflight: wait Pulling',
    ],
    [
      'waits for a Pod whose image is there',
      COMMAND,
      { ledger: reached('Preflight', {}, 599), preflightPod: waiting('ContainerCreating'), node: withImage },
      'Preflight: wait Progressing',
    ],
    [
      'waits for an image of its own that is not there, though that of the Job is',
      { preflight: { command: ['check'], image: 'registry.example/check:1' } },
      { ledger: reached('Preflight', {}, 900), preflightPod: waiting('ContainerCreating'), node: withImage },
      'Preflight: wait Pulling',
    ],
    [
      'but not without end',
      COMMAND,
      { ledger: reached('Preflight', {}, 600), preflightPod: waiting('ContainerCreating'), node: withImage },
      'Preflight: Failed NotStarted',
    ],
  ])('%s', (_sentence, spec, seen, expected) => expect(outcomeOf(facts(spec, seen))).toBe(expected));
});
