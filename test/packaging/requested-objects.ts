/** Values that differ from the defaults, each in one of them. */
import type { Wish } from './helm.js';

export const digest = `sha256:${'0a'.repeat(32)}`;

export const WISHES: [string, Wish][] = [
  ['nothing', {}],
  ['a namespace', { values: { namespace: { name: 'elsewhere' } } }],
  ['a namespace that looks like a number', { values: { namespace: { name: '123' } } }],
  ['what a chart around it adds', { values: { global: { any: 'thing' }, enabled: true } }],
  ['a namespace that is there', { values: { namespace: { name: 'elsewhere', create: false } } }],
  ["the release's own namespace", { release: 'operator-system' }],
  ['a registry', { values: { images: { registry: 'mirror.example:5000/kairos/' } } }],
  [
    'images',
    {
      values: {
        images: {
          operator: { repository: 'example.org/operator', tag: 'v9' },
          agent: { digest },
          sentinel: 'docker.io/library/alpine:3',
          nodeopDefault: 'localhost/busybox:1',
          tool: 'auroraboot',
          pullPolicy: 'Always',
          pullSecrets: [{ name: 'one' }, { name: 'two' }],
        },
      },
    },
  ],
  [
    'places and sizes',
    {
      values: {
        logLevel: 'debug',
        allowedNamespaces: ['fleet', 'ops'],
        controller: {
          replicas: 2,
          resources: { limits: null },
          tolerations: [],
          affinity: { nodeAffinity: null },
          env: [{ name: 'BUILD_DEADLINE_SECONDS', value: '3600' }],
        },
        webhook: { nodeSelector: { pool: 'system' }, podAnnotations: { 'example.org/scrape': 'true' } },
        agent: { env: [{ name: 'SYSTEM_FACTS', value: 'true' }], priorityClassName: 'high' },
      },
    },
  ],
  ['rights of migration', { values: { migration: { create: true } } }],
  ['network policies', { values: { networkPolicy: { create: true, apiServerPorts: [16443] } } }],
  [
    'as little as there may be',
    {
      values: {
        crds: { create: false },
        userRoles: { create: false },
        admissionPolicies: { create: false },
        osArtifacts: { enabled: false },
        namespace: { create: false },
      },
    },
  ],
  ['kinds that go', { values: { crds: { keep: false } } }],
];

/** Values that cannot be, and a word of the refusal. */
export const REFUSED: [string, object, RegExp][] = [
  ['a word that nobody knows', { image: { tag: 'v1' } }, /image/],
  ['a level that there is not', { logLevel: 'loud' }, /logLevel/],
  ['a namespace that cannot be', { namespace: { name: 'Operator System' } }, /namespace/],
  ['a digest that is none', { images: { agent: { digest: 'sha256:1' } } }, /digest/],
  ['an empty tag', { images: { agent: { tag: '' } } }, /tag/],
  ['a tag in the repository', { images: { operator: { repository: 'example.org/x/y:v1' } } }, /repository/],
  ['a scheme before the registry', { images: { registry: 'https://mirror.example' } }, /registry/],
  ['no image where one is needed', { images: { tool: '' } }, /tool/],
  ['two names in one', { allowedNamespaces: ['fleet,ops'] }, /allowedNamespaces/],
  ['a Secret with a space', { images: { pullSecrets: [{ name: 'a b' }] } }, /pullSecrets/],
  ['no port of the API server, which would open all', { networkPolicy: { apiServerPorts: [] } }, /apiServerPorts/],
  ['a setting without a name', { agent: { env: [{ value: 'true' }] } }, /env/],
  ['a setting that is no text', { agent: { env: [{ name: 'SYSTEM_FACTS', value: true }] } }, /env/],
  ['a setting that is set already', { controller: { env: [{ name: 'HEALTH_PORT', value: '8082' }] } }, /env/],
];
