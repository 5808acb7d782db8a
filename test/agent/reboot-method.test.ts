/** In which way the agent reboots its machine. */
import { describe, expect, test } from '@jest/globals';
import { bootIdOf } from '../fakes/host.js';
import { answer, bootUp, settle, type Simulation, simulate } from './simulation.js';

describe('the way in which a reboot is called', () => {
  const ways = ({ host }: Simulation) => host.mutations.filter(name => /reboot$|^signal/.test(name));

  test.each<[string, Record<string, string>, string[], string]>([
    ['systemctl reboot on a host with systemd', {}, ['systemctl reboot'], 'systemctl'],
    [
      'the signal to systemd when systemctl fails',
      { 'systemctl reboot': 'systemctl reboot: Failed to connect to bus' },
      ['systemctl reboot', 'signal 39'],
      'signal',
    ],
    [
      'the signal to systemd when systemctl hangs',
      { 'systemctl reboot': 'hang' },
      ['systemctl reboot', 'signal 39'],
      'signal',
    ],
    [
      'the reboot command when the signal fails too',
      { 'systemctl reboot': 'not found', 'signal 39': 'EPERM' },
      ['systemctl reboot', 'signal 39', 'reboot'],
      'command',
    ],
  ])('is %s, and is reported after the boot', async (_sentence, rebootFaults, expected, method) => {
    const sim = simulate();
    sim.host.set({ rebootFaults });
    await sim.reconcile();
    expect(ways(sim)).toEqual(expected);
    await bootUp(sim);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
    expect(answer(sim)).toMatchObject({ state: 'Rebooted', method });
  });

  test('is systemctl alone while logind waits for delaying inhibitors, also after a restart of the agent', async () => {
    const sim = simulate();
    sim.host.set({ rebootsWhenAsked: false });
    await sim.reconcile();
    const busy = "systemctl reboot: Call to Reboot failed: There's already a shutdown or sleep operation in progress";
    sim.host.set({ rebootFaults: { 'systemctl reboot': busy } });
    await sim.start();
    await settle(sim);
    expect(new Set(ways(sim))).toEqual(new Set(['systemctl reboot']));
    expect(answer(sim)?.method).toBe('systemctl');
  });

  test.each([
    'Operation inhibited by "dpkg" (PID 7 "apt", user root), reason is "upgrading".',
    'Call to Reboot failed: Operation denied due to active block inhibitor',
  ])('is none while an inhibitor blocks it, which the status reports: %s', async refusal => {
    const sim = simulate();
    sim.host.set({ rebootFaults: { 'systemctl reboot': `systemctl reboot: ${refusal}` } });
    await expect(sim.reconcile()).rejects.toThrow('inhibit');
    expect(answer(sim)).toMatchObject({ state: 'Rebooting', message: expect.stringContaining(refusal) });
    expect(sim.host.rebootCalls).toEqual([]);
    sim.host.set({ rebootFaults: {} });
    await sim.reconcile();
    expect(ways(sim)).toEqual(['systemctl reboot', 'systemctl reboot']);
    expect(sim.host.rebootCalls).toEqual([bootIdOf(1)]);
  });
});
