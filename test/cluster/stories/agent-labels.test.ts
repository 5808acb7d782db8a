/** A real node's labels follow its host: the release file, the system it booted, the wish of its owner. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { waitFor } from '../wait.js';
import { type Operator, operator } from './operator.js';

jest.setTimeout(600_000);

const RELEASE = '/etc/kairos-release';
const NODE = 'n2';
let it: Operator;
let delivered: string;

beforeAll(async () => {
  it = await operator(3);
  delivered = await machine().readFile(RELEASE);
  await labelsBecome(labels => labels['kairos.io/boot-state'] === 'active', 30);
});
afterAll(async () => {
  await machine().writeFile(RELEASE, delivered);
  const off = (await labelsNow())['kairos.io/managed'] === 'false' ? ['kairos.io/managed-'] : [];
  await it.kubectl.do(['label', 'node', NODE, 'kairos.io/own-', ...off]);
});

const machine = () => {
  const found = it.machines.find(({ name }) => name === NODE);
  if (found === undefined) throw new Error(`there is no ${NODE}`);
  return found;
};

const labelsNow = async (): Promise<Record<string, string>> =>
  (await it.kubectl.getJson('node', NODE))?.metadata?.labels ?? {};
const ours = (labels: Record<string, string>) => Object.keys(labels).filter(key => key.startsWith('kairos.io/'));

/** True once they are as wanted; what is there instead is told. */
async function labelsBecome(wanted: (labels: Record<string, string>) => boolean, seconds: number): Promise<true> {
  let labels = {};
  await waitFor(async () => wanted((labels = await labelsNow())), {
    what: `the labels of ${NODE} to follow`,
    seconds,
    everyMs: 50,
    diagnose: () => JSON.stringify(labels),
  });
  return true;
}

describe('the labels of a real node', () => {
  test('follow an edit of its release file within 2 s, and what it no longer says goes', async () => {
    await it.kubectl.do(['label', 'node', NODE, 'kairos.io/own=word']);
    const edited = `${delivered.replace(/^KAIROS_FLAVOR=.*$/m, '')}\nKAIROS_MODEL="rack 4"\n`;
    await machine().writeFile(RELEASE, edited);
    expect(
      await labelsBecome(labels => labels['kairos.io/model'] === 'rack-4' && !('kairos.io/flavor' in labels), 2),
    ).toBe(true);
    await machine().writeFile(RELEASE, delivered);
    expect(
      await labelsBecome(labels => labels['kairos.io/model'] === 'generic' && 'kairos.io/flavor' in labels, 2),
    ).toBe(true);
    expect((await labelsNow())['kairos.io/own']).toBe('word');
  });

  test('follow a file that is renamed over it, as editors and upgrades do', async () => {
    await machine().writeFile(`${RELEASE}.new`, `${delivered}\nKAIROS_MODEL=renamed\n`);
    await machine().exec('mv', `${RELEASE}.new`, RELEASE);
    expect(await labelsBecome(labels => labels['kairos.io/model'] === 'renamed', 2)).toBe(true);
  });

  test('go when the host is Kairos no longer, foreign ones stay, and come back with it', async () => {
    const other = await machine().readFile('/etc/os-release');
    await machine().writeFile('/etc/os-release', 'ID=debian\n');
    await machine().exec('rm', RELEASE);
    expect(await labelsBecome(labels => ours(labels).join() === 'kairos.io/own', 2)).toBe(true);
    await machine().writeFile(RELEASE, delivered);
    await machine().writeFile('/etc/os-release', other);
    expect(await labelsBecome(labels => labels['kairos.io/managed'] === 'true', 2)).toBe(true);
  });

  test('stay as they are once their owner has switched them off, and follow again when he takes that back', async () => {
    await it.kubectl.do(['label', 'node', NODE, 'kairos.io/managed=false', '--overwrite']);
    const off = async () => (await it.kubectl.getJson('nodeagent', NODE))?.spec?.['labels'] === false;
    await waitFor(off, { what: 'the agent to be told', seconds: 10 });
    await machine().writeFile(RELEASE, `${delivered}\nKAIROS_MODEL=unseen\n`);
    const seen = async () => JSON.stringify((await it.kubectl.getJson('nodeagent', NODE))?.status).includes('unseen');
    await waitFor(seen, { what: 'the agent to see the edit', seconds: 5, everyMs: 50 });
    expect(await labelsNow()).toMatchObject({ 'kairos.io/managed': 'false' });
    expect((await labelsNow())['kairos.io/model']).not.toBe('unseen');
    await it.kubectl.do(['label', 'node', NODE, 'kairos.io/managed-']);
    expect(
      await labelsBecome(
        labels => labels['kairos.io/model'] === 'unseen' && labels['kairos.io/managed'] === 'true',
        10,
      ),
    ).toBe(true);
    await machine().writeFile(RELEASE, delivered);
  });

  test('come back on a node that was taken out of the cluster and joins again', async () => {
    await it.kubectl.do(['delete', 'node', NODE]);
    await machine().softReboot(); // only a starting kubelet registers its node
    expect(await labelsBecome(labels => labels['kairos.io/managed'] === 'true', 120)).toBe(true);
    expect(await labelsNow()).toMatchObject({ 'kairos.io/boot-state': 'active' });
  });

  test.each(['passive', 'recovery', 'active'] as const)('tell that the machine came up %s', async slot => {
    machine().nextSlot(slot);
    await machine().softReboot();
    expect(await labelsBecome(labels => labels['kairos.io/boot-state'] === slot, 120)).toBe(true);
  });
});
