/** The most expensive reviews of about 3 MB that the API server would send: as many values, faults and letters as fit. */
import { review } from './reviews.js';

/** The API server takes objects of 3 MiB; the review around them adds a little. */
const BYTES = 3_000_000;
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

const many = <T>(count: number, one: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => one(n));
const fields = <T>(count: number, one: (n: number) => [string, T]) => Object.fromEntries(many(count, one));
const letters = (count: number, letter = 'a') => letter.repeat(count);

const nodeOp = (spec: Record<string, unknown>, metadata: Record<string, unknown> = {}) =>
  JSON.stringify(review({ spec: { command: ['true'], ...spec }, metadata }));
const applied = (text: string) => nodeOp({}, { annotations: { [LAST_APPLIED]: text } });

function changed(before: Record<string, unknown>, spec: Record<string, unknown>, status?: unknown): string {
  return JSON.stringify(review({ before: { spec: { command: ['a'], ...before }, status }, spec }));
}

function artifact(spec: Record<string, unknown>): string {
  const sent = review({ spec: { image: { ref: 'quay.io/kairos/a:1' }, artifacts: { iso: true }, ...spec } });
  sent.request.kind = { group: 'build.kairos.io', version: 'v1alpha2', kind: 'OSArtifact' };
  return JSON.stringify(sent);
}

const upgrade = (spec: Record<string, unknown>) =>
  JSON.stringify(review({ kind: 'NodeOpUpgrade', spec: { image: 'quay.io/kairos/a:1', ...spec } }));

const matchLabels = (labels: Record<string, unknown>) => nodeOp({ nodeSelector: { matchLabels: labels } });
const nodeStatuses = (count: number) => ({ phase: 'Running', nodeStatuses: fields(count, n => [`n${n}`, {}]) });

/** What a review contains, and its text. */
export const COSTLY_REVIEWS: readonly (readonly [string, () => string])[] = [
  ['a command of 19,990 numbers', () => nodeOp({ command: many(19_990, () => 1) })],
  ['a command of 19,990 texts', () => nodeOp({ command: many(19_990, () => letters(140)) })],
  ['a command of 240,000 texts', () => nodeOp({ command: many(240_000, () => 'a') })],
  ['one argument of 3 MB', () => nodeOp({ command: [letters(BYTES)] })],
  ['19,000 pull secrets without a name', () => nodeOp({ imagePullSecrets: many(19_000, () => ({})) })],
  [
    '6,000 invalid requirements',
    () =>
      nodeOp({
        nodeSelector: { matchExpressions: many(3_000, n => ({ key: '-', operator: 'In', values: ['-', `-${n}`] })) },
      }),
  ],
  ['19,000 invalid labels', () => matchLabels(fields(19_000, n => [`-${n}${letters(130)}`, '-']))],
  ['19,000 labels with numbers', () => matchLabels(fields(19_000, n => [`l${n}`, n]))],
  ['a label key of slashes', () => matchLabels({ [letters(BYTES, '/')]: 'x' })],
  ['a label key of underscores', () => matchLabels({ [letters(BYTES, '_')]: '-' })],
  ['18 label keys of 160 kB', () => matchLabels(fields(18, n => [`${n}${letters(160_000, '_')}`, '-']))],
  [
    'a requirement with 19,000 invalid values',
    () =>
      nodeOp({ nodeSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: many(19_000, () => '-') }] } }),
  ],
  ['19,000 unknown fields', () => nodeOp(fields(19_000, n => [`zz${n}${letters(140)}`, 1]))],
  ['an unknown field of 3 MB', () => nodeOp({ [letters(BYTES, 'c')]: 1 })],
  ['19,000 nested unknown fields', () => nodeOp({ drainOptions: fields(19_000, n => [`comand${n}`, 1]) })],
  ['a concurrency of 3 MB', () => nodeOp({ concurrency: letters(BYTES, '9') })],
  ['a mount path of 3 MB', () => nodeOp({ hostMountPath: `/${letters(BYTES, '.')}` })],
  [
    'a last-applied annotation of nested lists',
    () => applied(`{"spec":${letters(1_400_000, '[')}${letters(1_400_000, ']')}}`),
  ],
  [
    'a last-applied annotation of empty objects',
    () => applied(`{"spec":[${letters(900_000, '{},').slice(0, 2_700_000)}{}]}`),
  ],
  [
    'a last-applied annotation of unknown fields',
    () => applied(JSON.stringify({ spec: fields(180_000, n => [`z${n}`, 1]) })),
  ],
  [
    'a last-applied annotation of unknown fields within its limit',
    () => applied(JSON.stringify({ spec: fields(17_000, n => [`z${n}`, 1]) })),
  ],
  [
    'an update of an invalid selector',
    () =>
      changed(
        { nodeSelector: { matchLabels: fields(9_000, n => [`-${n}`, '-']) } },
        { command: ['b'], nodeSelector: { matchLabels: fields(9_000, n => [`-${n}`, '-']) } },
      ),
  ],
  ['an update of an operation on 60,000 nodes', () => changed({}, { command: ['b'] }, nodeStatuses(60_000))],
  [
    'an update of 240,000 values',
    () => changed({ command: many(120_000, () => 'a') }, { command: many(120_000, n => (n === 119_999 ? 'b' : 'a')) }),
  ],
  ['240,000 annotations', () => nodeOp({}, { annotations: fields(200_000, n => [`a${n}`, '']) })],
  ['an upgrade with 19,000 excluded paths', () => upgrade({ excludePaths: many(19_000, n => `/${n}${letters(130)}`) })],
  ['an upgrade with 19,000 invalid permissions', () => upgrade({ allow: many(19_000, n => `No${n}`) })],
  ['an image of 3 MB', () => upgrade({ image: letters(BYTES) })],
  ['an image of 3 MB of spaces', () => upgrade({ image: `a${letters(BYTES, ' ')}` })],
  ['an artifact with 9,000 equal volumes', () => artifact({ volumes: many(9_000, () => ({ name: 'v' })) })],
  ['an artifact with 9,000 volumes', () => artifact({ volumes: many(9_000, n => ({ name: `v${n}` })) })],
  [
    'an artifact with 4,900 importers',
    () => artifact({ importers: many(4_900, n => ({ name: `i${n}`, volumeMounts: [{ name: `w${n}` }] })) }),
  ],
  [
    'an artifact with mounts of a missing volume',
    () =>
      artifact({
        volumes: many(3_000, n => ({ name: `v${n}` })),
        importers: [{ name: 'i', volumeMounts: many(6_000, n => ({ name: `w${n}` })) }],
      }),
  ],
  [
    'an artifact whose mounts are of a volume with a long name',
    () =>
      artifact({
        artifacts: { iso: true, volume: letters(2_700_000) },
        volumes: [{ name: 'x', emptyDir: {} }],
        importers: [{ name: 'i', volumeMounts: many(9_000, () => ({ name: 'artifacts' })) }],
      }),
  ],
  [
    'an artifact with 2,000 exporters',
    () =>
      artifact({
        exporters: many(1_900, () => ({
          template: { spec: { containers: [{ name: 'c' }], volumes: [{ name: 'artifacts' }] } },
        })),
      }),
  ],
  [
    'an artifact with 19,000 invalid bundles',
    () => artifact({ artifacts: { iso: true, bundles: many(19_000, () => '-x') } }),
  ],
  [
    'an artifact with 19,000 bundles of one word',
    () => artifact({ artifacts: { iso: true, bundles: many(19_000, n => `b${n}${letters(120)}`) } }),
  ],
  ['an artifact with 19,000 invalid pod labels', () => artifact({ podLabels: fields(19_000, n => [`p${n}`, n]) })],
  [
    'an artifact with a disk size of 3 MB',
    () => artifact({ artifacts: { cloudImage: true, diskSize: letters(BYTES, '0') } }),
  ],
  ['an artifact with a file name of 3 MB', () => artifact({ nameOverride: { iso: letters(BYTES, '-') } })],
];
