/** Random specs of OSArtifacts: of either shape, sometimes a mix of both, with valid and some invalid fields. */
import * as fc from 'fast-check';
import { always, field, flag, of, type Spec, spec, text } from './draws.js';

const image = field(
  of('a', 'quay.io/kairos/x:1', 'r:5000/a@sha256:0'),
  of('', '-a', '--help', 'a b', ' a', 'a\n', 5, []),
);
const secretKey = field(spec({ name: always(of('a'), of('', 5)), key: field(of('k'), of('', 5)) }), of('a', [], 5));
const values = field(fc.dictionary(fc.constantFrom('A', 'b'), text, { maxKeys: 2 }), of('a', [], { a: 1 }));
const volumeName = field(of('one', 'two'), of('', 'absent', 5));
const anything = field(of({}, { limits: { cpu: '1' } }), of('a', [], 5));
const many = (each: fc.Arbitrary<unknown>) => field(fc.array(each, { maxLength: 2 }), of('a', {}, [5]));
const named = (...names: unknown[]) => spec({ name: always(of(...names), of('', 5)), more: field(of({}), of(1)) });

const outputs = {
  iso: flag,
  cloudImage: flag,
  azureImage: flag,
  gceImage: flag,
  netboot: flag,
  diskSize: field(of('1', '10G', '5M', '7K', '1T'), of('', 'G', '10g', '-1', '1.5G', '10G\n', 5)),
  netbootURL: field(text, of(5)),
  cloudConfigRef: secretKey,
  grubConfig: field(text, of(5)),
  osRelease: field(text, of([])),
  kairosRelease: field(text, of(5)),
  bundles: many(of('a', 'docker', '-x', '')),
};

const flat = {
  imageName: image,
  baseImageName: image,
  baseImageDockerfile: secretKey,
  dockerfileTemplateValues: values,
  dockerfileTemplateValuesFrom: field(spec({ name: always(of('a'), of('', 5)) }), of('a', [])),
  ...outputs,
};

const source = spec({
  ref: image,
  buildOptions: field(
    spec({
      version: always(of('v1'), of('', 5)),
      baseImage: always(of('a'), of('', '-a', 5)),
      model: field(of('rpi4'), of('', 5)),
      trustedBoot: flag,
      kubernetesDistro: field(of('k3s'), of('')),
      kubernetesVersion: field(of('v1'), of('')),
      fips: flag,
      kairosInitImage: image,
    }),
    of('a', []),
  ),
  ociSpec: field(
    spec({ ref: secretKey, templateValues: values, templateValuesFrom: secretKey, buildContextVolume: volumeName }),
    of('a', []),
  ),
  buildImage: field(
    spec({
      registry: always(of('r'), of('', 5)),
      repository: always(of('a'), of('')),
      tag: always(of('t'), of('')),
    }),
    of('a'),
  ),
  push: flag,
  imageCredentialsSecretRef: secretKey,
  buildEnv: many(named('A')),
  caCertificatesVolume: volumeName,
  pullInsecureRegistry: flag,
  pushInsecureRegistry: flag,
});

const nested = {
  image: always(source, of('a', [])),
  artifacts: field(
    spec({
      arch: field(of('amd64', 'arm64'), of('', 'riscv64', 5)),
      ...outputs,
      overlayISOVolume: volumeName,
      overlayRootfsVolume: volumeName,
      uki: field(spec({ iso: flag, container: flag, efi: flag, keysVolume: volumeName }), of('a', [])),
      volume: volumeName,
    }),
    of('a', []),
  ),
  nodeSelector: values,
  tolerations: many(of({}, { key: 'a' })),
  affinity: anything,
  podLabels: values,
  podAnnotations: values,
  resources: field(spec({ iso: anything, uki: anything, pod: anything }), of('a', [])),
  volumes: field(of([{ name: 'one' }, { name: 'two', emptyDir: {} }], [{ name: 'one', secret: {} }]), of([{}], 'a')),
  importers: many(named('i', 'build-iso')),
  nameOverride: field(
    spec({
      iso: field(of('a', 'a-1', 'x'.repeat(253)), of('', 'A', '-a', 'x'.repeat(254), 'a/b')),
      uki: field(of('b'), of('.')),
    }),
    of('a'),
  ),
};

const shared = {
  imagePullSecrets: many(spec({ name: always(of('a'), of('', 5)) })),
  volume: anything,
  exporters: many(
    spec({
      template: always(
        spec({
          spec: always(
            spec({ containers: always(of([{ name: 'c' }]), of([], 'a')), volumes: many(named('v')) }),
            of('a'),
          ),
        }),
        of('a'),
      ),
      backoffLimit: field(of(0, 3), of(-1, '1', 0.5)),
      completions: field(of(1), of(-1)),
    }),
  ),
};

/** Adds one image source and one kind of artifact, without which few specs would be valid. */
const oneSource = ({ baseImageName: _one, baseImageDockerfile: _other, ...drawn }: Spec): Spec => ({
  imageName: 'a',
  iso: true,
  ...drawn,
});

export const artifactSpecs: fc.Arbitrary<Spec> = fc.oneof(
  { weight: 9, arbitrary: spec({ ...flat, ...shared }).map(oneSource) },
  { weight: 9, arbitrary: spec({ ...flat, ...shared }) },
  { weight: 9, arbitrary: spec({ ...nested, ...shared }) },
  { weight: 1, arbitrary: spec({ ...flat, ...nested }) },
);
