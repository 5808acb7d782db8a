import { describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { NODE_KEYS } from '../agent/labels.js';
import { NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT } from '../api/kinds.js';
import { LEADER_LEASE } from '../api/names.js';
import { NodeOpSpec } from '../api/nodeop.js';
import { NodeOpUpgradeSpec } from '../api/nodeop-upgrade.js';
import { OSArtifactSpec } from '../api/os-artifact.js';
import { crdFiles } from '../manifests/generate.js';
import { findBinary } from './cluster/binaries.js';
import { withOverlay } from './cluster/install.js';
import { repository } from './cluster/paths.js';

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface Container {
  name: string;
  image: string;
  env?: { name: string; value?: string }[];
  securityContext: Record<string, unknown>;
}

/** The fields of a manifest that these tests read. */
interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: { template?: { spec: { containers: Container[] } }; [field: string]: unknown };
  rules?: Rule[];
  aggregationRule?: object;
  subjects?: { name: string; namespace: string }[];
  webhooks?: {
    name: string;
    clientConfig: { caBundle?: string; service: { name: string; namespace: string } };
    rules: { resources: string[] }[];
    matchConditions: { name: string; expression: string }[];
  }[];
}

const textOf = (path: string) => readFileSync(join(repository, path), 'utf8');
/** Generated from the other manifests; chart templates are not valid YAML before Helm renders them. */
const GENERATED_FILES = /^manifests\/(install\.yaml$|chart\/)/;
const filesIn = (folder: string) =>
  readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.yaml'))
    .map(name => `${folder}/${name}`)
    .filter(path => !GENERATED_FILES.test(path))
    .sort();
const manifestsIn = (text: string) => parseAllDocuments(text).map(document => document.toJS() as Manifest);

const own = filesIn('manifests/default')
  .filter(path => !path.endsWith('kustomization.yaml'))
  .flatMap(path => manifestsIn(textOf(path)));

const containersOf = (manifests: readonly Manifest[]) =>
  manifests.flatMap(({ spec }) => spec?.template?.spec.containers ?? []);
const ofKind = (manifests: readonly Manifest[], kind: RegExp) => manifests.filter(each => kind.test(each.kind));
const named = (manifests: readonly Manifest[], kind: string, name: string) => {
  const found = manifests.find(each => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`the manifests have no ${kind} named ${name}`);
  return found;
};

const CLUSTER_SCOPED =
  /^(Namespace|ClusterRole|ClusterRoleBinding|CustomResourceDefinition|(Validating|Mutating)WebhookConfiguration|ValidatingAdmissionPolicy(Binding)?)$/;

describe('the manifest files', () => {
  test('every manifest is valid YAML', () => {
    const faults = ['manifests', 'config']
      .flatMap(filesIn)
      .flatMap(path =>
        parseAllDocuments(textOf(path)).flatMap(({ errors }) => errors.map(({ message }) => `${path}: ${message}`)),
      );
    expect(faults).toEqual([]);
  });

  test('the committed CRDs are those generated from the schemas', () => {
    for (const { path, text } of crdFiles()) expect({ path, text: textOf(path) }).toEqual({ path, text });
  });

  test('every generated CRD is installed', () => {
    const listed = parse(textOf('manifests/crd/kustomization.yaml')) as { resources: string[] };
    expect([...listed.resources].sort()).toEqual(
      crdFiles()
        .map(({ path }) => path.replace('manifests/crd/', ''))
        .sort(),
    );
  });

  test('every file of the default folder is part of the installation', () => {
    const listed = parse(textOf('manifests/default/kustomization.yaml')) as { resources: string[] };
    const files = readdirSync(join(repository, 'manifests/default')).filter(name => name !== 'kustomization.yaml');
    expect(listed.resources.filter(name => name.endsWith('.yaml')).sort()).toEqual(files.sort());
  });

  test('workloads use the two placeholder images, and published names appear in one file', () => {
    const images = containersOf(own).map(({ image }) => image);
    expect(new Set(images)).toEqual(new Set(['kairos-operator', 'kairos-operator-agent']));
    const others = filesIn('manifests').filter(path => !/samples|default\/kustomization/.test(path));
    expect(others.filter(path => textOf(path).includes('quay.io/kairos/operator'))).toEqual([]);
  });

  test('the samples match the schemas', () => {
    const schemas = {
      [NODE_OP.kind]: NodeOpSpec,
      [NODE_OP_UPGRADE.kind]: NodeOpUpgradeSpec,
      [OS_ARTIFACT.kind]: OSArtifactSpec,
    };
    for (const { kind, spec } of filesIn('manifests/samples').flatMap(path => manifestsIn(textOf(path))))
      expect(schemas[kind]?.safeParse(spec)).toMatchObject({ success: true });
  });
});

describe('permissions', () => {
  const roles = ofKind(own, /^(Cluster)?Role$/);
  const rulesOf = (kind: string, name: string) => named(own, kind, name).rules ?? [];

  test('no rule contains a wildcard', () => {
    const wild = roles.filter(({ rules = [] }) =>
      rules.some(rule => [...rule.apiGroups, ...rule.resources, ...rule.verbs].includes('*')),
    );
    expect(wild.map(({ metadata }) => metadata.name)).toEqual([]);
  });

  test('every rule has a comment with its reason', () => {
    const withoutReason = filesIn('manifests/default').flatMap(path =>
      textOf(path)
        .split('\n')
        .flatMap((line, at, lines) =>
          /^ {2}- apiGroups: .*$/.test(line) && !/^ {2}# \S/.test(lines[at - 1] ?? '') ? [`${path}:${at + 1}`] : [],
        ),
    );
    expect(withoutReason).toEqual([]);
  });

  test("every verb of the programs' roles is explained in the comment above it", () => {
    const faults = ['controller', 'webhook', 'agent'].flatMap(program => {
      const path = `manifests/default/${program}-rbac.yaml`;
      const groups = textOf(path).matchAll(
        /((?: {2}#.*\n)+) {2}- apiGroups:.*\n(?: {4}\w+:.*\n)*? {4}verbs: \[(.*)\]/g,
      );
      return [...groups].flatMap(([, why = '', verbs = '']) =>
        verbs
          .split(', ')
          .flatMap(verb =>
            new RegExp(`# [a-z, ]*\\b${verb}\\b[a-z, ]*:`).test(why) ? [] : [`${path}: ${verb} (${why.trim()})`],
          ),
      );
    });
    expect(faults).toEqual([]);
  });

  test('the roles for users are not aggregated into the built-in ones', () => {
    const aggregated = roles.filter(
      ({ metadata, aggregationRule }) =>
        aggregationRule !== undefined ||
        Object.keys(metadata.labels ?? {}).some(key => key.startsWith('rbac.authorization.k8s.io/aggregate-to')),
    );
    expect(aggregated).toEqual([]);
  });

  test('every kind has an admin, an editor and a viewer role', () => {
    for (const { singular, plural } of [NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT])
      for (const role of ['admin', 'editor', 'viewer'])
        expect(rulesOf('ClusterRole', `operator-${singular}-${role}-role`)[0]?.resources).toEqual([plural]);
  });

  test('no role lists or watches Secrets, and only the role for OSArtifacts reads arbitrary ones', () => {
    const secrets = roles.flatMap(({ kind, metadata, rules = [] }) =>
      rules
        .filter(rule => rule.resources.includes('secrets'))
        .map(({ resourceNames, verbs }) => ({ name: `${kind} ${metadata.name}`, resourceNames, verbs })),
    );
    expect(secrets).toEqual([
      {
        name: 'ClusterRole operator-controller-artifacts',
        resourceNames: undefined,
        verbs: ['get', 'create', 'patch'],
      },
      { name: 'Role operator-webhook', resourceNames: ['operator-webhook-certificate'], verbs: ['get', 'patch'] },
    ]);
  });

  test('no role grants permissions on roles, bindings or ServiceAccounts', () => {
    const resources = roles.flatMap(({ rules = [] }) => rules.flatMap(rule => rule.resources));
    expect(resources.filter(name => /role|binding|serviceaccount/.test(name))).toEqual([]);
  });

  test('the controller may update the lease of its leader election', () => {
    const leases = rulesOf('Role', 'operator-controller').filter(({ resourceNames }) => resourceNames !== undefined);
    expect(leases[0]?.resourceNames).toContain(LEADER_LEASE);
  });

  test('every binding is for a ServiceAccount that exists', () => {
    const accounts = ofKind(own, /^ServiceAccount$/).map(({ metadata }) => metadata.name);
    const subjects = own.flatMap(({ subjects: each = [] }) => each.map(({ name }) => name));
    expect(new Set(subjects)).toEqual(new Set(accounts));
  });
});

describe('the workloads of the programs', () => {
  test.each(['controller', 'webhook'])('the %s has no privileges', program => {
    const [container] = containersOf([named(own, 'Deployment', `operator-${program}`)]);
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('the admission policy of the agent allows exactly the keys that the agent writes', () => {
    const policy = named(own, 'ValidatingAdmissionPolicy', 'operator-agent-node');
    const variables = policy.spec?.variables as { name: string; expression: string }[];
    for (const what of ['labels', 'annotations'] as const) {
      const expression = variables.find(({ name }) => name === what)?.expression ?? '';
      const keys = [...expression.matchAll(/"([^"]+)"/g)].map(([, key = '']) => key);
      expect(new Set(keys)).toEqual(new Set<string>(NODE_KEYS[what]));
    }
  });

  test('the webhooks are called for every kind that users create', () => {
    const plurals = [NODE_OP, NODE_OP_UPGRADE, OS_ARTIFACT].map(({ plural }) => plural);
    for (const { rules } of ofKind(own, /WebhookConfiguration$/).flatMap(({ webhooks = [] }) => webhooks))
      expect(rules.flatMap(({ resources }) => resources)).toEqual(plurals);
  });

  test('the webhook configurations leave caBundle to the webhook itself', () => {
    const configurations = ofKind(own, /WebhookConfiguration$/);
    expect(configurations.map(({ kind }) => kind)).toHaveLength(2);
    for (const { clientConfig } of configurations.flatMap(({ webhooks = [] }) => webhooks))
      expect(clientConfig).not.toHaveProperty('caBundle');
  });
});

const kubectl = findBinary('kubectl') ?? 'kubectl';
const hasKubectl = spawnSync(kubectl, ['version', '--client'], { stdio: 'ignore' }).status === 0;
const rendered = (folder: string) =>
  manifestsIn(execFileSync(kubectl, ['kustomize', folder], { encoding: 'utf8', maxBuffer: 1 << 26 }));

function installation() {
  const all = rendered(join(repository, 'config/default'));

  test('config/default installs the same objects as manifests/default', () => {
    expect(all).toEqual(rendered(join(repository, 'manifests/default')));
  });

  test('all namespaced objects are in the namespace of the operator', () => {
    const misplaced = all.filter(({ kind, metadata }) =>
      CLUSTER_SCOPED.test(kind) ? metadata.namespace !== undefined : metadata.namespace !== 'operator-system',
    );
    expect(misplaced.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([]);
  });

  test('the time until an agent counts as available, which depends on clocks, is short and documented', () => {
    const { minReadySeconds } = named(all, 'DaemonSet', 'operator-agent').spec ?? {};
    expect(minReadySeconds).toBe(5);
    expect(readFileSync(join(repository, 'docs/operations.md'), 'utf8')).toContain('{"spec":{"minReadySeconds":0}}');
  });

  test('AGENT_IMAGE of the controller is the image of the agent', () => {
    const [agent] = containersOf([named(all, 'DaemonSet', 'operator-agent')]);
    const [controller] = containersOf([named(all, 'Deployment', 'operator-controller')]);
    expect(controller?.env).toContainEqual({ name: 'AGENT_IMAGE', value: agent?.image });
  });

  test('an overlay with another namespace and other images changes every field that repeats them', async () => {
    const image = (name: string) => ({ ref: `localhost/${name}:mine`, tar: '' });
    const images = { operator: image('operator'), agent: image('agent') };
    const moved = await withOverlay({ namespace: 'other-namespace', images }, folder =>
      Promise.resolve(rendered(folder)),
    );
    expect(JSON.stringify(moved)).not.toMatch(/operator-system|quay\.io\/kairos\/operator/);
    const [controller] = containersOf([named(moved, 'Deployment', 'operator-controller')]);
    expect(controller?.env).toContainEqual({ name: 'AGENT_IMAGE', value: 'localhost/agent:mine' });
    const webhooks = ofKind(moved, /WebhookConfiguration$/).flatMap(({ webhooks: each = [] }) => each);
    for (const { clientConfig, matchConditions } of webhooks) {
      expect(clientConfig.service.namespace).toBe('other-namespace');
      expect(matchConditions[0]?.expression).toBe(
        'request.userInfo.username != "system:serviceaccount:other-namespace:operator-controller"',
      );
    }
  });
}

// Without kubectl these tests are skipped; the cluster tests still apply the same folders.
if (hasKubectl)
  describe('the installation', () => {
    installation();
  });
