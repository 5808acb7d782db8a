import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../../../controller/nodeop/facts/facts.js';
import { walk } from '../../../../controller/nodeop/steps/walk.js';
import { facts, pod, type PodTraits, reached, secondsAgo } from '../../../builders.js';
import { outcomeOf } from './walk-outcome.js';

const REJECTED: PodTraits = { phase: 'Failed', reason: 'OutOfpods', message: 'Pod was rejected', containers: [] };
const SPEC = { cordon: true, preflight: { command: ['check'] } };

/** The ledger of a step whose first Pod was lost `first` seconds ago, and this one `since` seconds ago. */
const lost = (step: 'Preflight' | 'Pull', first: number, since: number) =>
  reached(step, {
    stepTimes: { Claim: secondsAgo(900), [step]: secondsAgo(900), [`${step}Lost`]: secondsAgo(first) },
    waiting: { for: 'uid-helper', since: secondsAgo(since) },
  });

describe.each([
  ['A preflight Pod', 'Preflight', 'preflightPod', 'preflight'],
  ['A pull Pod', 'Pull', 'pullPod', 'pull'],
] as const)('%s that the kubelet rejected', (_title, step, key, container) => {
  const seen = (more: Partial<Facts>, traits: PodTraits = REJECTED) =>
    facts(SPEC, { [key]: pod('helper', traits), ...more });

  test.each<[string, Partial<Facts>, PodTraits, string]>([
    ['is recorded when it is first seen', { ledger: reached(step) }, REJECTED, 'record'],
    ['is kept for a pause', { ledger: lost(step, 30, 9) }, REJECTED, 'wait Progressing'],
    [
      'is deleted after the pause, so that another one is created',
      { ledger: lost(step, 30, 10) },
      REJECTED,
      'deletePods',
    ],
    [
      'is waited for while it is deleted',
      { ledger: lost(step, 30, 10) },
      { ...REJECTED, terminating: true },
      'wait Progressing',
    ],
    ['fails the node after startDeadlineSeconds', { ledger: lost(step, 600, 10) }, REJECTED, 'Failed NotStarted'],
    [
      'has its own pause after an earlier one',
      { ledger: { ...lost(step, 30, 10), waiting: { for: 'uid-earlier', since: secondsAgo(20) } } },
      REJECTED,
      'record',
    ],
    [
      'is also one that was ended while its container was being created',
      { ledger: reached(step) },
      {
        ...REJECTED,
        reason: 'NodeShutdown',
        containers: [{ name: container, state: { waiting: { reason: 'ContainerCreating' } } }],
      },
      'record',
    ],
  ])('%s', (_sentence, more, traits, expected) => expect(outcomeOf(seen(more, traits))).toBe(`${step}: ${expected}`));

  test('fails the node with the words of the kubelet', () =>
    expect(walk(seen({ ledger: lost(step, 600, 10) })).result).toMatchObject({
      message: `${step} failed: its Pod did not start within 600 s: OutOfpods: Pod was rejected`,
    }));
});

describe('A preflight that the kubelet ended', () => {
  const ended = (exitCode: number, reason: string | undefined) =>
    facts(SPEC, {
      ledger: reached('Preflight'),
      preflightPod: pod('helper', {
        phase: 'Failed',
        reason,
        containers: [{ name: 'preflight', state: { terminated: { exitCode } } }],
      }),
    });
  test('is repeated, because its exit code is not its own', () =>
    expect(outcomeOf(ended(137, 'Terminated'))).toBe('Preflight: record'));
  test('is repeated while an added container still keeps the Pod', () => {
    const containers = [
      { name: 'istio-proxy', state: { running: {} } },
      { name: 'preflight', state: { terminated: { exitCode: 143 } } },
    ];
    const preflightPod = pod('helper', { terminating: true, containers });
    expect(outcomeOf(facts(SPEC, { ledger: reached('Preflight'), preflightPod }))).toBe('Preflight: record');
  });
  test('is not repeated when it failed by itself', () =>
    expect(outcomeOf(ended(3, undefined))).toBe('Preflight: Failed PreflightFailed'));
});

describe('A preflight Pod that cannot start', () => {
  test('has the reason of the kubelet in its message, whether or not its image is listed on the node', () => {
    const state = { waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } };
    const preflightPod = pod('helper', { phase: 'Pending', containers: [{ name: 'preflight', state }] });
    expect(walk(facts(SPEC, { ledger: reached('Preflight'), preflightPod })).result).toMatchObject({
      reason: 'Progressing',
      message: 'Preflight in progress: CreateContainerConfigError: secret "x" not found',
    });
  });
});
