import { describe, expect, test } from '@jest/globals';
import type { Facts } from '../../agent/observe.js';
import { bootFallback } from '../../agent/boot-fallback.js';
import { statusOf } from '../../agent/status.js';
import type { BootState, NodeAgentStatus, Operation } from '../../api/node-agent.js';
import { asked, nodeAgent, operation } from './builders.js';

type FellBack = NodeAgentStatus['fellBack'];

const boot = (state: BootState = 'active', id = 'b') => ({ id, since: '2026-01-01T00:00:00.000Z', state });
const host = (version: string | undefined, state: BootState = 'active'): Facts => ({
  boot: boot(state),
  release: version === undefined ? undefined : { version },
});
const upgrade = (version?: string) => asked({ check: { release: { version } } });
const rebooted = {
  id: 'op-1',
  reboot: { state: 'Rebooted', bootedAt: '2026-01-01T00:05:00.000Z' },
} satisfies NodeAgentStatus['operation'];
const fall = { version: 'v2', at: '2026-01-01T00:05:00.000Z' };
const older = { version: 'v2', at: '2025-12-01T00:00:00.000Z' };

describe('did it come up with its target?', () => {
  type Row = [string, Facts, FellBack, Operation | undefined, NodeAgentStatus['operation'], FellBack];
  test.each<Row>([
    ['yes', host('v2'), undefined, upgrade('v2'), rebooted, undefined],
    ['another version', host('v1'), undefined, upgrade('v2'), rebooted, fall],
    ['the passive system', host('v2', 'passive'), undefined, upgrade('v2'), rebooted, fall],
    ['recovery', host(undefined, 'recovery'), undefined, upgrade('v2'), rebooted, fall],
    ['nobody knows the version of the host', host(undefined), undefined, upgrade('v2'), rebooted, undefined],
    ['nobody knows the target', host('v1', 'passive'), undefined, upgrade(), rebooted, undefined],
    ['no upgrade at all', host('v1', 'passive'), undefined, asked(), rebooted, undefined],
    ['not rebooted yet', host('v1'), undefined, upgrade('v2'), { id: 'op-1' }, undefined],
    ['the same fall, told before: its time stays', host('v1'), older, upgrade('v2'), rebooted, older],
    ['remembered without an operation', host('v1'), older, undefined, undefined, older],
    ['forgotten when the target runs after all', host('v2'), older, undefined, undefined, undefined],
    ['not forgotten when it runs from passive', host('v2', 'passive'), older, undefined, undefined, older],
  ])('%s', (...[, facts, known, op, answer, remembered]) => {
    expect(bootFallback(facts, known, op, answer)).toEqual(remembered);
  });
});

describe('the status', () => {
  const base = { agentVersion: '1', stateDir: '/x', facts: host('v1') };

  test('the start of the same boot is not reckoned anew', () => {
    const known = { boot: { ...boot(), since: '2026-01-01T00:00:01.000Z' } };
    expect(statusOf(nodeAgent({}, known), base).boot?.since).toBe('2026-01-01T00:00:01.000Z');
  });
  test('the start of another boot is', () => {
    const known = { boot: { ...boot('active', 'a'), since: '2025-01-01T00:00:01.000Z' } };
    expect(statusOf(nodeAgent({}, known), base).boot).toEqual(boot());
  });
  test('a free node has no answers', () => {
    const known = { operation: { id: 'op-1', check: { verdict: 'Skip' as const } } };
    expect(statusOf(nodeAgent({}, known), base).operation).toBeUndefined();
  });
  test('the verdict of an earlier operation is not taken for this one', () => {
    const known = { operation: { id: 'op-0', check: { verdict: 'Skip' as const } } };
    const op = operation({ check: { release: { version: 'v2' } } });
    expect(statusOf(nodeAgent({ operation: op }, known), base).operation?.check?.verdict).toBe('Proceed');
  });
  test('no question, no verdict', () => {
    expect(statusOf(nodeAgent({ operation: operation() }), base).operation).toEqual({ id: 'op-1' });
  });
});
