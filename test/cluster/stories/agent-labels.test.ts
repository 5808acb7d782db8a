/** The labels of a real node follow its release file, its boot state, and the kairos.io/managed label. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { waitFor } from '../wait.js';
import { type Operator, setUpOperator } from './operator.js';

jest.setTimeout(600_000);

const RELEASE = '/etc/kairos-release';
const NODE = 'n2';
let operator: Operator;
let original: string;

beforeAll(async () => {
  operator = await setUpOperator(3);
  original = await machine().readFile(RELEASE);
  await waitForLabels(labels => labels['kairos.io/boot-state'] === 'active', 30);
});
afterAll(async () => {
  await machine().writeFile(RELEASE, original);
  const isSwitchedOff = (await currentLabels())['kairos.io/managed'] === 'false' ? ['kairos.io/managed-'] : [];
  await operator.kubectl.do(['label', 'node', NODE, 'kairos.io/own-', ...isSwitchedOff]);
});

const machine = () => {
  const found = operator.machines.find(({ name }) => name === NODE);
  if (found === undefined) throw new Error(`The cluster has no node ${NODE}.`);
  return found;
};

const currentLabels = async (): Promise<Record<string, string>> =>
  (await operator.kubectl.getJson('node', NODE))?.metadata?.labels ?? {};
const kairosLabels = (labels: Record<string, string>) =>
  Object.keys(labels).filter(key => key.startsWith('kairos.io/'));

/** Waits until the labels satisfy the condition. The timeout error contains the labels. */
async function waitForLabels(isWanted: (labels: Record<string, string>) => boolean, seconds: number): Promise<true> {
  let labels = {};
  await waitFor(async () => isWanted((labels = await currentLabels())), {
    what: `the labels of ${NODE} to change`,
    seconds,
    everyMs: 50,
    diagnose: () => JSON.stringify(labels),
  });
  return true;
}

describe('the labels of a real node', () => {
  test('follow an edit of the release file within 2 s, including removed fields', async () => {
    await operator.kubectl.do(['label', 'node', NODE, 'kairos.io/own=user']);
    const edited = `${original.replace(/^KAIROS_FLAVOR=.*$/m, '')}\nKAIROS_MODEL="rack 4"\n`;
    await machine().writeFile(RELEASE, edited);
    expect(
      await waitForLabels(labels => labels['kairos.io/model'] === 'rack-4' && !('kairos.io/flavor' in labels), 2),
    ).toBe(true);
    await machine().writeFile(RELEASE, original);
    expect(
      await waitForLabels(labels => labels['kairos.io/model'] === 'generic' && 'kairos.io/flavor' in labels, 2),
    ).toBe(true);
    expect((await currentLabels())['kairos.io/own']).toBe('user');
  });

  test('follow a release file that is replaced by renaming, as editors and upgrades do', async () => {
    await machine().writeFile(`${RELEASE}.new`, `${original}\nKAIROS_MODEL=renamed\n`);
    await machine().exec('mv', `${RELEASE}.new`, RELEASE);
    expect(await waitForLabels(labels => labels['kairos.io/model'] === 'renamed', 2)).toBe(true);
  });

  test('are removed when the host is no longer Kairos, except user labels, and restored when it is Kairos again', async () => {
    const osRelease = await machine().readFile('/etc/os-release');
    await machine().writeFile('/etc/os-release', 'ID=debian\n');
    await machine().exec('rm', RELEASE);
    expect(await waitForLabels(labels => kairosLabels(labels).join() === 'kairos.io/own', 2)).toBe(true);
    await machine().writeFile(RELEASE, original);
    await machine().writeFile('/etc/os-release', osRelease);
    expect(await waitForLabels(labels => labels['kairos.io/managed'] === 'true', 2)).toBe(true);
  });

  test('do not change while kairos.io/managed=false is set, and follow again after that label is removed', async () => {
    await operator.kubectl.do(['label', 'node', NODE, 'kairos.io/managed=false', '--overwrite']);
    const isSwitchedOff = async () => (await operator.kubectl.getJson('nodeagent', NODE))?.spec?.['labels'] === false;
    await waitFor(isSwitchedOff, { what: 'the NodeAgent to switch labels off', seconds: 10 });
    await machine().writeFile(RELEASE, `${original}\nKAIROS_MODEL=ignored\n`);
    const seen = async () =>
      JSON.stringify((await operator.kubectl.getJson('nodeagent', NODE))?.status).includes('ignored');
    await waitFor(seen, { what: 'the agent to report the edit', seconds: 5, everyMs: 50 });
    expect(await currentLabels()).toMatchObject({ 'kairos.io/managed': 'false' });
    expect((await currentLabels())['kairos.io/model']).not.toBe('ignored');
    await operator.kubectl.do(['label', 'node', NODE, 'kairos.io/managed-']);
    expect(
      await waitForLabels(
        labels => labels['kairos.io/model'] === 'ignored' && labels['kairos.io/managed'] === 'true',
        10,
      ),
    ).toBe(true);
    await machine().writeFile(RELEASE, original);
  });

  test('are restored on a node that was deleted and joins the cluster again', async () => {
    await operator.kubectl.do(['delete', 'node', NODE]);
    await machine().softReboot(); // A kubelet registers its node only when it starts.
    expect(await waitForLabels(labels => labels['kairos.io/managed'] === 'true', 120)).toBe(true);
    expect(await currentLabels()).toMatchObject({ 'kairos.io/boot-state': 'active' });
  });

  test.each(['passive', 'recovery', 'active'] as const)('show that the machine booted the %s system', async slot => {
    machine().nextSlot(slot);
    await machine().softReboot();
    expect(await waitForLabels(labels => labels['kairos.io/boot-state'] === slot, 120)).toBe(true);
  });
});
