/** When the agent patches its Node, and what it does about files that it cannot read. */
import { describe, expect, test } from '@jest/globals';
import { LOADER_ENTRY } from '../../agent/boot-state.js';
import { REAPPLY_MS } from '../../agent/label-node.js';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import { bootIdOf, KAIROS_RELEASE } from '../fakes/host.js';
import { rebootRequested, nodeAgent, operation } from './builders.js';
import { SENTINEL, type Simulation, simulate } from './simulation.js';

const ETC_RELEASE = '/etc/kairos-release';
const withoutOperation = () => simulate(nodeAgent());
const status = ({ cluster }: Simulation) => cluster.agent.status;

function ownedBy(sim: Simulation, uid: string): void {
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid }];
  sim.cluster.change(agent => ({ ...agent, metadata: { ...agent.metadata, ownerReferences } }));
}

/** For each patch of the Node: does it set the label kairos.io/managed? */
const patches = ({ cluster }: Simulation) =>
  cluster.nodePatches.map(patch => JSON.stringify(patch).includes('"kairos.io/managed":"true"'));

describe('the labels of the Node', () => {
  test('are applied once and then every hour, since something else may have removed them', async () => {
    const sim = withoutOperation();
    await sim.reconcile();
    await sim.clock.advance(REAPPLY_MS - 1);
    await sim.reconcile();
    expect(patches(sim)).toEqual([true]);
    await sim.clock.advance(1);
    await sim.reconcile();
    await sim.reconcile();
    expect(patches(sim)).toEqual([true, true]);
  });

  test('are applied again when another Node registers under the same name', async () => {
    const sim = withoutOperation();
    ownedBy(sim, 'first');
    await sim.reconcile();
    await sim.reconcile();
    expect(patches(sim)).toEqual([true]);
    ownedBy(sim, 'second');
    await sim.reconcile();
    await sim.reconcile();
    expect(patches(sim)).toEqual([true, true]);
  });

  test('are never patched on a host that is not Kairos', async () => {
    const sim = simulate(nodeAgent(), {});
    await sim.reconcile();
    await sim.clock.advance(REAPPLY_MS);
    await sim.reconcile();
    expect(patches(sim)).toEqual([]);
  });
});

describe('a host that is no longer Kairos', () => {
  const formerKairosHost = async () => {
    const sim = withoutOperation();
    await sim.reconcile();
    sim.host.files.delete(ETC_RELEASE);
    await sim.start();
    return sim;
  };

  test('loses its labels before the release in the status', async () => {
    const sim = await formerKairosHost();
    await sim.reconcile();
    expect(sim.cluster.requests.slice(-2)).toEqual(['patch nodes', 'patch nodeagents']);
    expect(patches(sim).at(-1)).toBe(false);
    expect(status(sim)?.release).toBeUndefined();
  });

  test.each([1, 2])('loses both after its agent was killed before action %i', async action => {
    const sim = await formerKairosHost();
    sim.host.killBefore(action);
    expect(await sim.reconcile()).toBe('killed');
    expect(status(sim)?.release).toBeDefined();
    await sim.reconcile();
    expect(patches(sim).at(-1)).toBe(false);
    expect(status(sim)?.release).toBeUndefined();
  });

  test('loses its labels although it rebooted before they were removed', async () => {
    const sim = await formerKairosHost();
    sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: rebootRequested() } }));
    sim.host.killBefore(6); // 1 journal, 2 sentinel, 3 status, 4 reboot, 5 journal, 6 labels
    expect(await sim.reconcile()).toBe('killed');
    expect(sim.host.rebootCalls).toHaveLength(1);
    expect(status(sim)).toHaveProperty('labeled', true);
    await sim.reconcile();
    expect(patches(sim)).toEqual([true, false]);
    expect(status(sim)).toMatchObject({ operation: { reboot: { state: 'Rebooted' } } });
    expect(status(sim)?.release).toBeUndefined();
  });
});

describe('a file that cannot be read', () => {
  test.each([
    ['kairos-release', { [ETC_RELEASE]: KAIROS_RELEASE }, ETC_RELEASE],
    [
      'kairos-release, although os-release identifies the host',
      { [ETC_RELEASE]: '', '/etc/os-release': 'ID=kairos' },
      ETC_RELEASE,
    ],
    ['os-release, when it is the only release file', { '/etc/os-release': 'ID=kairos' }, '/etc/os-release'],
  ])('leaves labels and release as they are and does not stop other work: %s', async (_sentence, files, path) => {
    const sim = simulate(nodeAgent(), files);
    await sim.reconcile();
    const release = status(sim)?.release;
    sim.host.set({ unreadable: [path] });
    await sim.start();
    sim.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: operation() } }));
    await sim.reconcile();
    expect(patches(sim)).toEqual([true]);
    expect(status(sim)).toMatchObject({ release, operation: { id: 'op-1' } });
    sim.host.set({ unreadable: [] });
    sim.host.files.set(path, '');
    await sim.reconcile();
    await sim.reconcile();
    expect(status(sim)?.release?.version).toBeUndefined();
  });

  test('leaves no release of the boot before in the status, and its labels are still removed later', async () => {
    const sim = withoutOperation();
    await sim.reconcile();
    sim.host.restart();
    sim.host.set({ unreadable: [ETC_RELEASE] });
    await sim.start();
    await sim.reconcile();
    expect(status(sim)).toMatchObject({ boot: { id: bootIdOf(2) }, labeled: true });
    expect(status(sim)?.release).toBeUndefined();
    sim.host.set({ unreadable: [] });
    sim.host.files.delete(ETC_RELEASE);
    await sim.start();
    await sim.reconcile();
    expect(patches(sim)).toEqual([true, false]);
    expect(status(sim)?.labeled).toBeUndefined();
  });

  test('is reported as soon as it can be read again', async () => {
    const sim = withoutOperation();
    await sim.reconcile();
    sim.host.restart();
    sim.host.set({ unreadable: [ETC_RELEASE] });
    await sim.reconcile();
    sim.host.set({ unreadable: [] });
    await sim.reconcile();
    expect(status(sim)?.release?.version).toBe('v3.5.0');
  });

  test('does not prevent labeling when it is the boot loader entry', async () => {
    const sim = withoutOperation();
    sim.host.set({ cmdline: 'rd.immucore.uki', loaderEntry: 'active.conf', unreadable: [LOADER_ENTRY] });
    await sim.reconcile();
    expect(patches(sim)).toEqual([true]);
    expect(status(sim)?.boot?.state).toBe('unknown');
  });

  test('prevents neither labels nor a reboot when it is an unrelated sentinel', async () => {
    const unrelated = `${KAIROS_STATE_DIR}/odd-1767225600`;
    const sim = simulate();
    sim.host.files.set(unrelated, '');
    sim.host.set({ unreadable: [unrelated] });
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(1);
    expect(patches(sim)).toEqual([true]);
  });

  test('delays the reboot and is reported when it is the sentinel of the Job', async () => {
    const sim = simulate();
    sim.host.set({ unreadable: [SENTINEL] });
    await sim.reconcile();
    expect(status(sim)?.operation?.reboot).toMatchObject({
      state: 'Waiting',
      message: expect.stringContaining('cannot read'),
    });
    sim.host.set({ unreadable: [] });
    await sim.reconcile();
    expect(sim.host.rebootCalls).toHaveLength(1);
  });
});
