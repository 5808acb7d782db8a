/** Chart values that differ from the defaults, and values that must be rejected. */
import type { ChartInputs } from './helm.js';

export const digest = `sha256:${'0a'.repeat(32)}`;

export const CHART_INPUTS: [string, ChartInputs][] = [
  ['default values', {}],
  ['another namespace', { values: { namespace: { name: 'other-namespace' } } }],
  ['a numeric namespace', { values: { namespace: { name: '123' } } }],
  ['values of a parent chart', { values: { global: { any: 'thing' }, enabled: true } }],
  ['an existing namespace', { values: { namespace: { name: 'other-namespace', create: false } } }],
  ["the release's own namespace", { release: 'operator-system' }],
  ['another registry', { values: { images: { registry: 'mirror.example:5000/kairos/' } } }],
  [
    'other images',
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
    'scheduling, resources and environment variables',
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
  ['the permissions for the migration', { values: { migration: { create: true } } }],
  ['network policies', { values: { networkPolicy: { create: true, apiServerPorts: [16443] } } }],
  [
    'every optional part disabled',
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
  ['CRDs that are deleted on uninstallation', { values: { crds: { keep: false } } }],
];

/** Invalid values, and a pattern that the error message matches. */
export const REFUSED: [string, object, RegExp][] = [
  ['an unknown key', { image: { tag: 'v1' } }, /image/],
  ['an unknown log level', { logLevel: 'loud' }, /logLevel/],
  ['an invalid namespace', { namespace: { name: 'Operator System' } }, /namespace/],
  ['an invalid digest', { images: { agent: { digest: 'sha256:1' } } }, /digest/],
  ['an empty tag', { images: { agent: { tag: '' } } }, /tag/],
  ['a tag in the repository', { images: { operator: { repository: 'example.org/x/y:v1' } } }, /repository/],
  ['a scheme before the registry', { images: { registry: 'https://mirror.example' } }, /registry/],
  ['an empty required image', { images: { tool: '' } }, /tool/],
  ['two names in one string', { allowedNamespaces: ['fleet,ops'] }, /allowedNamespaces/],
  ['a Secret name with a space', { images: { pullSecrets: [{ name: 'a b' }] } }, /pullSecrets/],
  ['an empty list of API server ports', { networkPolicy: { apiServerPorts: [] } }, /apiServerPorts/],
  ['an environment variable without a name', { agent: { env: [{ value: 'true' }] } }, /env/],
  ['an environment variable that is not a string', { agent: { env: [{ name: 'SYSTEM_FACTS', value: true }] } }, /env/],
  [
    'an environment variable that the chart sets itself',
    { controller: { env: [{ name: 'HEALTH_PORT', value: '8082' }] } },
    /env/,
  ],
];
