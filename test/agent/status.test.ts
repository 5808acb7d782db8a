import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../agent/observe.js';
import { bootFallback } from '../../agent/boot-fallback.js';
import { statusOf } from '../../agent/status.js';
import type { BootState, NodeAgentStatus, Operation } from '../../api/node-agent.js';
import { rebootRequested, nodeAgent, operation } from './builders.js';

type FellBack = NodeAgentStatus['fellBack'];

const boot = (state: BootState = 'active', id = 'b') => ({ id, since: '2026-01-01T00:00:00.000Z', state });
const host = (version: string | undefined, state: BootState = 'active'): Facts => ({
  boot: boot(state),
  release: version === undefined ? undefined : { version },
});
const upgrade = (version?: string) => rebootRequested({ check: { release: { version } } });
const rebooted = {
  id: 'op-1',
  reboot: { state: 'Rebooted', bootedAt: '2026-01-01T00:05:00.000Z' },
} satisfies NodeAgentStatus['operation'];
const fallback = { version: 'v2', at: '2026-01-01T00:05:00.000Z' };
const olderFallback = { version: 'v2', at: '2025-12-01T00:00:00.000Z' };

describe('the remembered fallback', () => {
  type Row = [string, Facts, FellBack, Operation | undefined, NodeAgentStatus['operation'], FellBack];
  test.each<Row>([
    ['is absent when the target runs', host('v2'), undefined, upgrade('v2'), rebooted, undefined],
    ['is set when another version runs', host('v1'), undefined, upgrade('v2'), rebooted, fallback],
    ['is set when the passive system runs', host('v2', 'passive'), undefined, upgrade('v2'), rebooted, fallback],
    ['is set when recovery runs', host(undefined, 'recovery'), undefined, upgrade('v2'), rebooted, fallback],
    [
      'is absent when the version of the host is unknown',
      host(undefined),
      undefined,
      upgrade('v2'),
      rebooted,
      undefined,
    ],
    ['is absent when the target is unknown', host('v1', 'passive'), undefined, upgrade(), rebooted, undefined],
    ['is absent without an upgrade', host('v1', 'passive'), undefined, rebootRequested(), rebooted, undefined],
    ['is absent before the reboot', host('v1'), undefined, upgrade('v2'), { id: 'op-1' }, undefined],
    ['keeps its time when it is already known', host('v1'), olderFallback, upgrade('v2'), rebooted, olderFallback],
    ['stays without an operation', host('v1'), olderFallback, undefined, undefined, olderFallback],
    ['is removed when the target runs later', host('v2'), olderFallback, undefined, undefined, undefined],
    [
      'is removed when the target runs as a live system',
      host('v2', 'livecd'),
      olderFallback,
      undefined,
      undefined,
      undefined,
    ],
    [
      'is removed when the target runs and the boot state is unknown',
      host('v2', 'unknown'),
      olderFallback,
      undefined,
      undefined,
      undefined,
    ],
    ['stays while the version is unknown', host(undefined), olderFallback, undefined, undefined, olderFallback],
    [
      'stays when the target runs from passive',
      host('v2', 'passive'),
      olderFallback,
      undefined,
      undefined,
      olderFallback,
    ],
  ])('%s', (...[, facts, known, op, answer, expected]) => {
    expect(bootFallback(facts, known, op, answer)).toEqual(expected);
  });
});

describe('the status', () => {
  const base = { agentVersion: '1', stateDir: '/x', facts: host('v1') };

  test('keeps the start time of the same boot', () => {
    const known = { boot: { ...boot(), since: '2026-01-01T00:00:01.000Z' } };
    expect(statusOf(nodeAgent({}, known), base).boot?.since).toBe('2026-01-01T00:00:01.000Z');
  });
  test.each([
    ['keeps the release of the same boot when it cannot be read', 'b', { version: 'v0' }],
    ['has no release of an earlier boot when that of this boot cannot be read', 'a', undefined],
  ])('%s', (_sentence, id, release) => {
    const known = { boot: boot('active', id), release: { version: 'v0' } };
    const parts = { ...base, facts: host(undefined), keepRelease: true };
    expect(statusOf(nodeAgent({}, known), parts)).toMatchObject({ release, labeled: true });
  });
  test('has a new start time for another boot', () => {
    const known = { boot: { ...boot('active', 'a'), since: '2025-01-01T00:00:01.000Z' } };
    expect(statusOf(nodeAgent({}, known), base).boot).toEqual(boot());
  });
  test('has no answers without an operation', () => {
    const known = { operation: { id: 'op-1', check: { verdict: 'Skip' as const } } };
    expect(statusOf(nodeAgent({}, known), base).operation).toBeUndefined();
  });
  test('does not reuse the verdict of another operation', () => {
    const known = { operation: { id: 'op-0', check: { verdict: 'Skip' as const } } };
    const op = operation({ check: { release: { version: 'v2' } } });
    expect(statusOf(nodeAgent({ operation: op }, known), base).operation?.check?.verdict).toBe('Proceed');
  });
  test('compares the release of this boot with the target while the release files cannot be read', () => {
    const known = { boot: boot(), release: { version: 'v2' } };
    const op = operation({ check: { release: { version: 'v2', skipIfCurrent: true } } });
    const parts = { ...base, facts: { ...host(undefined), identityUnknown: true }, keepRelease: true };
    expect(statusOf(nodeAgent({ operation: op }, known), parts).operation?.check?.verdict).toBe('Skip');
  });
  test('has no verdict without a question', () => {
    expect(statusOf(nodeAgent({ operation: operation() }), base).operation).toEqual({ id: 'op-1' });
  });
});
