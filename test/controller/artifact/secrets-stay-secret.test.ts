/** Markers in everything that is secret, and a search for them in all that is published: status, Events, log lines and errors. */
import { describe, expect, test } from '@jest/globals';
import { SECRETS } from '../../../kube/resources.js';
import { createLog } from '../../../program/log.js';
import { ArtifactSetup } from './setup.js';
import { IMAGE, NESTED_ALL } from './samples.js';

const MARKER = 'mArKeR7';
/** In base64, by the position of its first byte. */
const CODED = [0, 1, 2].map(shift => {
  const code = Buffer.from(`${' '.repeat(shift)}${MARKER}`).toString('base64');
  return code.slice(shift === 0 ? 0 : shift + 1, -3);
});

const marked = (what: string) => `${MARKER}-${what}`;
const entry = marked('name-of-an-entry');
const basic = Buffer.from(`user:${marked('password')}`).toString('base64');
const LOGIN = JSON.stringify({ auths: { 'registry.test': { auth: basic, password: marked('password') } } });

const DOCKERFILE = `FROM x\n# ${marked('definition')}\nRUN echo {{ .Value }}\n`;

/** Content of the Secrets of a story where it differs from what is right. */
type Secrets = Record<string, Record<string, string> | undefined>;

const RIGHT: Secrets = {
  def: { Dockerfile: DOCKERFILE, [entry]: 'x' },
  values: { Value: marked('value'), [entry]: marked('other-value') },
  cc: { 'cloud-config.yaml': `#cloud-config\nusers: [{passwd: ${marked('cloud-config')}}]\n`, [entry]: 'x' },
  pull: { '.dockerconfigjson': LOGIN, [entry]: 'x' },
};

const SPEC = {
  baseImageDockerfile: { name: 'def', key: 'Dockerfile' },
  dockerfileTemplateValues: { Inline: marked('inline-value') },
  dockerfileTemplateValuesFrom: { name: 'values' },
  cloudConfigRef: { name: 'cc', key: 'cloud-config.yaml' },
  imagePullSecrets: [{ name: 'pull' }],
  iso: true,
};

interface Story {
  spec?: object;
  secrets?: Secrets;
  /** What happens after the object was created. */
  then?: (setup: ArtifactSetup) => Promise<void>;
}

const template = (text: string): Secrets => ({ def: { Dockerfile: `${DOCKERFILE}${text}` } });

const STORIES: Record<string, Story> = {
  'is built': { then: setup => setup.setPodStatus('Succeeded') },
  'has an unknown function in its definition': { secrets: template(`{{ ${MARKER} }}`) },
  'has a broken character in its definition': { secrets: template(`{{ '${MARKER}' }}`) },
  'has an unknown variable in its definition': { secrets: template(`{{ $${MARKER} }}`) },
  'has a word after an end': { secrets: template(`{{ if 1 }}{{ end "${MARKER}" }}`) },
  'has a number in its definition': { secrets: template(`{{ 1${MARKER} }}`) },
  'uses a value as a number': { secrets: template('{{ slice .Value 0 .Value }}{{ .Value.x }}') },
  'uses a value as a format': { secrets: template('{{ printf .Value . | len | index .Value }}') },
  'has a definition under another entry': { secrets: { def: { [entry]: 'FROM x' } } },
  'has a value that is no text': {
    then: async setup => {
      const data = { [entry]: Buffer.from([0xff, ...Buffer.from(MARKER)]).toString('base64') };
      await setup.kube.patch(SECRETS, { namespace: 'default', name: 'values' }, { data });
      await setup.change({ ...SPEC, osRelease: '2' });
    },
  },
  'has no entry for its cloud-config': { secrets: { cc: { [entry]: 'x' } } },
  'has an empty cloud-config': { secrets: { cc: { 'cloud-config.yaml': '', [entry]: 'x' } } },
  'has credentials that are no JSON': { secrets: { pull: { '.dockerconfigjson': `{"${MARKER}` } } },
  'has credentials that are a text': { secrets: { pull: { '.dockerconfigjson': `"${MARKER}"` } } },
  'has no credentials': { secrets: { pull: { [entry]: 'x' } } },
  'lacks a Secret': { secrets: { values: undefined } },
  'may not read its Secrets': {
    then: async setup => {
      setup.kube.refusals.set('get secrets', { code: 403, body: { reason: 'Forbidden', message: 'not allowed' } });
      await setup.change({ ...SPEC, osRelease: '2' });
    },
  },
  'has a step that fails': {
    then: setup =>
      setup.setPodStatus('Failed', [
        { name: 'build-iso', state: { terminated: { exitCode: 1, message: 'no space left on device' } } },
      ]),
  },
  'loses its builder': { then: setup => setup.setPodStatus('Failed', [], { reason: 'NodeLost' }) },
  'cannot create its Secret': {
    spec: { ...SPEC, baseImageDockerfile: { name: 'absent', key: 'x' } },
    then: async setup => {
      const message = 'Secret "os-rendered-ocispec" is invalid: data: Too long';
      setup.kube.refusals.set('create secrets', { code: 422, body: { reason: 'Invalid', message } });
      await setup.change(SPEC);
    },
  },
  'cannot be created at all': {
    then: async setup => {
      setup.kube.refusals.set('create pods', { code: 500, body: { message: 'unavailable' } });
      await setup.secret('values', { Value: marked('new-value') });
      await setup.change({ ...SPEC, osRelease: '2' });
    },
  },
  'has every field': { spec: NESTED_ALL },
  'is a ready image': { spec: { imageName: IMAGE, iso: true, cloudConfigRef: { name: 'cc', key: entry } } },
};

/** Everything that others than the readers of the Secrets can see. */
async function published({ spec = SPEC, secrets = {}, then }: Story): Promise<string> {
  const lines: string[] = [];
  const setup = new ArtifactSetup();
  setup.deps.log = createLog({ program: 'test', version: '1' }, 'debug', { write: line => void lines.push(line) });
  for (const [name, data] of Object.entries({ ...RIGHT, ...secrets })) if (data) await setup.secret(name, data);
  const statuses: unknown[] = [];
  setup.kube.store.onEvent((collection, { object }) => {
    if (collection.endsWith('osartifacts')) statuses.push(Object(object).status);
  });
  const errors: string[] = [];
  const failed = (error: unknown) => void errors.push(String(error), error instanceof Error ? (error.stack ?? '') : '');
  await setup.create(spec).catch(failed);
  await then?.(setup).catch(failed);
  const [pod] = setup.pods();
  return [JSON.stringify([statuses, setup.events, pod, setup.configMap()]), ...lines, ...errors].join('\n');
}

describe('nothing secret is published about an OSArtifact that', () => {
  /* Names that the spec itself has are no secret. */
  const withoutSpec = (text: string) => text.replaceAll(`entry \\"${entry}\\"`, '').replaceAll(`"key":"${entry}"`, '');

  test.each(Object.entries(STORIES))('%s', async (_, story) => {
    const text = withoutSpec(await published(story));
    expect(text).toContain('"phase"');
    for (const secret of [MARKER, ...CODED]) expect(text).not.toContain(secret);
  });

  test('would be found', () => {
    const coded = [0, 1, 2].map(shift => Buffer.from(`${'x'.repeat(shift)}${marked('x')}`).toString('base64'));
    expect(coded.map(code => CODED.some(each => code.includes(each)))).toEqual([true, true, true]);
  });
});
