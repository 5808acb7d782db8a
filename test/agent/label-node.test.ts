/** When the agent speaks to its Node, and what it does about what it cannot read. */
import { describe, expect, test } from '@jest/globals';
import { LOADER_ENTRY } from '../../agent/boot-state.js';
import { SAY_AGAIN_MS } from '../../agent/label-node.js';
import { KAIROS_STATE_DIR } from '../../api/names.js';
import { KAIROS_RELEASE } from '../fakes/host.js';
import { asked, nodeAgent, operation } from './builders.js';
import { SENTINEL, type Story, story } from './story.js';

const ETC_RELEASE = '/etc/kairos-release';
const idle = () => story(nodeAgent());
const status = ({ cluster }: Story) => cluster.agent.status;

function ownedBy(told: Story, uid: string): void {
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid }];
  told.cluster.change(agent => ({ ...agent, metadata: { ...agent.metadata, ownerReferences } }));
}

/** Of each word to the Node: does it say that it is Kairos? */
const said = ({ cluster }: Story) =>
  cluster.nodePatches.map(patch => JSON.stringify(patch).includes('"kairos.io/managed":"true"'));

describe('the Node is told', () => {
  test('once, and again every hour, since others may have taken it off', async () => {
    const told = idle();
    await told.pass();
    await told.clock.advance(SAY_AGAIN_MS - 1);
    await told.pass();
    expect(said(told)).toEqual([true]);
    await told.clock.advance(1);
    await told.pass();
    await told.pass();
    expect(said(told)).toEqual([true, true]);
  });

  test('again when another Node was registered under the same name', async () => {
    const told = idle();
    ownedBy(told, 'first');
    await told.pass();
    await told.pass();
    expect(said(told)).toEqual([true]);
    ownedBy(told, 'second');
    await told.pass();
    await told.pass();
    expect(said(told)).toEqual([true, true]);
  });

  test('never again, where there was nothing to say', async () => {
    const told = story(nodeAgent(), {});
    await told.pass();
    await told.clock.advance(SAY_AGAIN_MS);
    await told.pass();
    expect(said(told)).toEqual([]);
  });
});

describe('a host stops being Kairos', () => {
  const former = async () => {
    const told = idle();
    await told.pass();
    told.host.files.delete(ETC_RELEASE);
    await told.start();
    return told;
  };

  test('the labels go first, then the release that reminds us of them', async () => {
    const told = await former();
    await told.pass();
    expect(told.cluster.requests.slice(-2)).toEqual(['patch nodes', 'patch nodeagents']);
    expect(said(told).at(-1)).toBe(false);
    expect(status(told)?.release).toBeUndefined();
  });

  test.each([1, 2])('killed before act %i: the next agent ends it', async act => {
    const told = await former();
    told.host.killBefore(act);
    expect(await told.pass()).toBe('killed');
    expect(status(told)?.release).toBeDefined();
    await told.pass();
    expect(said(told).at(-1)).toBe(false);
    expect(status(told)?.release).toBeUndefined();
  });

  test('in the pass in which it goes down: the last words do not forget the labels', async () => {
    const told = await former();
    told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: asked() } }));
    told.host.killBefore(5); // 1 journal, 2 sentinel, 3 status, 4 reboot, 5 labels
    expect(await told.pass()).toBe('killed');
    expect(told.host.calls).toHaveLength(1);
    await told.pass();
    expect(said(told)).toEqual([true, false]);
    expect(status(told)).toMatchObject({ operation: { reboot: { state: 'Rebooted' } } });
    expect(status(told)?.release).toBeUndefined();
  });
});

describe('what cannot be read is done without', () => {
  test.each([
    ['the release file', { [ETC_RELEASE]: KAIROS_RELEASE }, ETC_RELEASE],
    [
      'the release file, though os-release has a word',
      { [ETC_RELEASE]: '', '/etc/os-release': 'ID=kairos' },
      ETC_RELEASE,
    ],
    ['os-release, where it is the only one', { '/etc/os-release': 'ID=kairos' }, '/etc/os-release'],
  ])('%s: labels and release stay as they are, the rest goes on', async (_sentence, files, path) => {
    const told = story(nodeAgent(), files);
    await told.pass();
    const release = status(told)?.release;
    told.host.set({ unreadable: [path] });
    await told.start();
    told.cluster.change(agent => ({ ...agent, spec: { ...agent.spec, operation: operation() } }));
    await told.pass();
    expect(said(told)).toEqual([true]);
    expect(status(told)).toMatchObject({ release, operation: { id: 'op-1' } });
    told.host.set({ unreadable: [] });
    told.host.files.set(path, '');
    await told.pass();
    await told.pass();
    expect(status(told)?.release?.version).toBeUndefined();
  });

  test('the boot entry: the node is labeled all the same', async () => {
    const told = idle();
    told.host.set({ cmdline: 'rd.immucore.uki', loaderEntry: 'active.conf', unreadable: [LOADER_ENTRY] });
    await told.pass();
    expect(said(told)).toEqual([true]);
    expect(status(told)?.boot?.state).toBe('unknown');
  });

  test('an odd file in the state folder: labeled, and rebooted when asked', async () => {
    const odd = `${KAIROS_STATE_DIR}/odd-1767225600`;
    const told = story();
    told.host.files.set(odd, '');
    told.host.set({ unreadable: [odd] });
    await told.pass();
    expect(told.host.calls).toHaveLength(1);
    expect(said(told)).toEqual([true]);
  });

  test('the very sentinel that is waited for: told, and done once it can be read', async () => {
    const told = story();
    told.host.set({ unreadable: [SENTINEL] });
    await told.pass();
    expect(status(told)?.operation?.reboot).toMatchObject({
      state: 'Waiting',
      message: expect.stringContaining('cannot read'),
    });
    told.host.set({ unreadable: [] });
    await told.pass();
    expect(told.host.calls).toHaveLength(1);
  });
});
