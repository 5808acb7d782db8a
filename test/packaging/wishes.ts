/** Values that differ from the defaults, each in one of them. */
import type { Wish } from './helm.js';

export const digest = `sha256:${'0a'.repeat(32)}`;

export const WISHES: [string, Wish][] = [
  ['nothing', {}],
  ['a namespace', { values: { namespace: { name: 'elsewhere' } } }],
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
          env: [{ name: 'HEALTH_PORT', value: '8082' }],
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
