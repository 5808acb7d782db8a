import { describe, expect, test } from '@jest/globals';
import { apiVersion, OS_ARTIFACT } from '../../api/kinds.js';
import { mutate, validate } from '../../webhook/admit.js';
import { clusterWarnings } from '../../webhook/cluster-warnings/warnings.js';
import type { AdmissionRequest } from '../../webhook/review.js';
import { DOCUMENTED, NESTED_ALL } from '../controller/artifact/samples.js';
import { faultsIn, patchIn, request } from './reviews.js';

const object = (spec: unknown, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  apiVersion: apiVersion(OS_ARTIFACT),
  kind: OS_ARTIFACT.kind,
  metadata: { name: 'os', namespace: 'default' },
  spec,
  ...more,
});

const { group, version, kind } = OS_ARTIFACT;
const creation = (spec: unknown): AdmissionRequest => ({
  ...request(),
  kind: { group, version, kind },
  object: object(spec),
});
const update = (spec: unknown, before: Record<string, unknown>): AdmissionRequest => ({
  ...creation(spec),
  operation: 'UPDATE',
  oldObject: before,
});

const ready = { image: { ref: 'x' }, artifacts: { iso: true } };

describe('an OSArtifact', () => {
  test.each([...Object.entries(DOCUMENTED), ['in full', NESTED_ALL] as const])(
    'from the documentation is allowed unchanged: %s',
    (_, spec) => {
      expect(faultsIn(validate(creation(spec)))).toEqual([]);
      expect(patchIn(mutate(creation(spec)))).toEqual([]);
    },
  );

  test.each<[string, object, string[]]>([
    [
      'a mix of shapes',
      { ...ready, imageName: 'x' },
      ['spec.imageName: Forbidden: may not be given beside image: these belong to two shapes of the object'],
    ],
    [
      'an unknown volume',
      { image: { ref: 'x' }, artifacts: { iso: true, overlayISOVolume: 'files' } },
      ['spec.artifacts.overlayISOVolume: Invalid value: "files": there is no volume "files" in volumes'],
    ],
    [
      'a reserved name of a volume',
      { ...ready, volumes: [{ name: 'rootfs', emptyDir: {} }] },
      ['spec.volumes[0].name: Invalid value: "rootfs": "rootfs" is reserved by the operator'],
    ],
    [
      'no artifact',
      { image: { ref: 'x' } },
      ['spec.artifacts: Required value: at least one kind of artifact must be requested'],
    ],
    [
      'a push without a target',
      { image: { push: true, ociSpec: { ref: { name: 'd' } } } },
      ['spec.image.buildImage: Required value: must be given where push is true'],
    ],
    [
      'a unified kernel image without keys',
      { image: { ref: 'x' }, artifacts: { uki: { efi: true } } },
      ['spec.artifacts.uki.keysVolume: Required value: must be given for any unified kernel image'],
    ],
    [
      'an unsupported architecture',
      { image: { ref: 'x' }, artifacts: { iso: true, arch: 'riscv64' } },
      ['spec.artifacts.arch: Unsupported value: "riscv64": supported values: "amd64", "arm64"'],
    ],
  ])('is rejected for %s', (_, spec, expected) =>
    expect(faultsIn(validate(creation(spec))).map(each => each.replace(/^\S+ (?=spec)/, ''))).toEqual(expected),
  );

  test('is rejected for a name that leaves no room for the name of its Secret', () => {
    const name = 'a'.repeat(237);
    const long = { ...creation(ready), object: object(ready, { metadata: { name, namespace: 'default' } }) };
    expect(faultsIn(validate(long))).toHaveLength(1);
    expect(faultsIn(validate(long))[0]).toMatch(
      /metadata\.name: Invalid value: "aaa.*must have at most 236 characters$/,
    );
  });

  test('can be changed after a build, which starts a new build', () => {
    const built = object(ready, { status: { phase: 'Ready' } });
    expect(validate(update({ ...ready, artifacts: { iso: true, cloudImage: true } }, built)).response.allowed).toBe(
      true,
    );
  });

  test('stored before a rule was introduced can still be changed in other fields', () => {
    const old = { ...ready, imageName: 'x' };
    expect(validate(update({ ...old, podLabels: { a: 'b' } }, object(old))).response.allowed).toBe(true);
  });

  test('with a misspelled field or a one-word bundle is allowed with a warning', () => {
    const { warnings } = validate(
      creation({ ...ready, artefacts: {}, artifacts: { iso: true, bundles: ['k3s'] } }),
    ).response;
    expect(warnings).toEqual([
      'spec.artefacts: unknown field, will be ignored; did you mean "artifacts"?',
      'spec.artifacts.bundles[0]: bundles are image references: "k3s" means "docker.io/library/k3s:latest"',
    ]);
  });

  const disk = { ...ready, artifacts: { iso: true, azureImage: true } };
  const flatDisk = { imageName: 'x', cloudImage: true };
  const DISKS = 'which rejects the privileged Pods of builds with disk images';

  test.each([
    ['disks in a baseline namespace', 'baseline', disk, DISKS],
    ['disks of the flat shape in a baseline namespace', 'baseline', flatDisk, DISKS],
    ['an ISO image in a baseline namespace', 'baseline', ready, undefined],
    [
      'an ISO image in a restricted namespace',
      'restricted',
      ready,
      'which rejects the Pods of builds, whose containers run as root',
    ],
    ['disks in a privileged namespace', 'privileged', disk, undefined],
  ])('gets a warning about its namespace, but none about nodes: %s', (_title, level, spec, text) => {
    const label = 'pod-security.kubernetes.io/enforce';
    const view = {
      nodes: { linux: [], others: [] },
      namespace: (name: string) => ({ metadata: { name, uid: 'n', resourceVersion: '1', labels: { [label]: level } } }),
    };
    expect(clusterWarnings({ kind, namespace: 'default', name: 'os', spec }, view)).toEqual(
      text === undefined ? [] : [`metadata.namespace: default has the label ${label}=${level}, ${text}`],
    );
  });
});
