/** The definition that converts a Linux distribution: its stages and arguments, and the command lines of kairos-init, run by a real shell. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import type { BuildOptions } from '../../../api/os-artifact-nested.js';
import { dockerfileOf } from '../../../controller/artifact/inputs/dockerfile.js';

const DEFAULT = 'quay.io/kairos/kairos-init:v0.16.1';

function definition(options: Partial<BuildOptions> = {}, part?: string, kairosInit = DEFAULT): string[] {
  const source = {
    is: 'dockerfile',
    options: { version: 'v1', baseImage: 'ubuntu:24.04', ...options },
  } as const;
  return dockerfileOf(source, kairosInit, part).split('\n');
}

/** The arguments of kairos-init, with the values of build arguments in the environment. */
function callOf(stage: string, values: Record<string, string>, options: Partial<BuildOptions> = {}, image = DEFAULT) {
  const line = definition(options, undefined, image).find(each =>
    each.startsWith(`RUN /kairos-init -l debug -s ${stage} `),
  );
  const script = (line ?? '').replace('RUN /kairos-init', "printf '<%s>'");
  const env = {
    PATH: process.env.PATH ?? '',
    VERSION: 'v1',
    MODEL: 'generic',
    TRUSTED_BOOT: 'false',
    FIPS: 'no-fips',
    ...values,
  };
  return spawnSync('sh', ['-c', script], { env, encoding: 'utf8' }).stdout;
}

const COMMON = '<-l><debug><-s><init><--version><v1><-m><generic><-t><false>';
const K3S = { KUBERNETES_DISTRO: 'k3s', KUBERNETES_VERSION: 'v1.34.1+k3s1' };

describe('kairos-init is called', () => {
  test.each([
    ['without a distribution', {}, DEFAULT, ''],
    ['with a distribution', { KUBERNETES_DISTRO: 'k0s' }, DEFAULT, '<-p><k0s>'],
    ['with a distribution and its version', K3S, DEFAULT, '<-p><k3s><--provider-k3s-version><v1.34.1+k3s1>'],
    ['with a version alone, which no flag takes', { KUBERNETES_VERSION: 'v1' }, DEFAULT, ''],
    ['with FIPS', { FIPS: 'fips' }, DEFAULT, '<--fips>'],
    ['at v0.6.0', K3S, 'quay.io/kairos/kairos-init:v0.6.0', '<-p><k3s><--provider-k3s-version><v1.34.1+k3s1>'],
    ['at v0.5.24', K3S, 'quay.io/kairos/kairos-init:v0.5.24', '<-k><k3s><--k8sversion><v1.34.1+k3s1>'],
    [
      'at v0.5.0-rc1 of a registry with a port',
      K3S,
      'my_registry:5000/kairos-init:v0.5.0-rc1',
      '<-k><k3s><--k8sversion><v1.34.1+k3s1>',
    ],
    ['at v0.4.9', K3S, 'kairos-init:v0.4.9', '<-v><standard><-k><k3s><--k8sversion><v1.34.1+k3s1>'],
    ['at a tag that is no version', K3S, 'kairos-init:latest', '<-p><k3s><--provider-k3s-version><v1.34.1+k3s1>'],
    ['at a digest', K3S, `kairos-init@sha256:${'0'.repeat(64)}`, '<-p><k3s><--provider-k3s-version><v1.34.1+k3s1>'],
    [
      'at a version with a digest',
      K3S,
      `kairos-init:v0.5.3@sha256:${'0'.repeat(64)}`,
      '<-k><k3s><--k8sversion><v1.34.1+k3s1>',
    ],
    ['at v1.5.0', K3S, 'kairos-init:v1.5.0', '<-p><k3s><--provider-k3s-version><v1.34.1+k3s1>'],
  ])('%s', (_title, values, image, flags) => {
    expect(callOf('init', values, {}, image)).toBe(COMMON + flags);
    expect(callOf('init', values, { kairosInitImage: image }, 'kairos-init:v0.3.0')).toBe(COMMON + flags);
  });
});

describe('the part of the user', () => {
  const ECHO = 'RUN echo "${VERSION} ${MODEL}"';
  const COPY = 'COPY --from=base-kairos /etc/os-release /tmp/';
  const stages = (part: string) => definition({}, part).filter(line => line.startsWith('FROM '));

  test('may copy from the image to convert, in the stage that the operator begins for it', () =>
    expect(stages(`${COPY}\n${ECHO}`)).toEqual([
      'FROM ${KAIROS_INIT_IMAGE} AS kairos-init',
      'FROM ${BASE_IMAGE} AS base-kairos',
      'FROM base-kairos',
    ]));

  test('may copy from it in a stage of its own, with what it has changed before', () =>
    expect(stages(`RUN touch /changed\nFROM alpine AS mine\n${COPY}`)).toEqual([
      'FROM ${KAIROS_INIT_IMAGE} AS kairos-init',
      'FROM ${BASE_IMAGE} AS base-kairos',
      'FROM alpine AS mine',
    ]));

  test.each([
    'VERSION',
    'MODEL=generic',
    'TRUSTED_BOOT=false',
    'KUBERNETES_DISTRO',
    'KUBERNETES_VERSION',
    'FIPS=no-fips',
  ])('has the argument %s, and so has the conversion after it, which may be another stage', argument => {
    for (const part of [ECHO, `${COPY}\n${ECHO}`]) {
      const lines = definition({}, part);
      const [first = -1, second = -1, ...more] = lines.flatMap((line, at) => (line === `ARG ${argument}` ? [at] : []));
      const own = lines.indexOf(ECHO);
      const begin = lines.findLastIndex((line, at) => line.startsWith('FROM ') && at < own);
      expect([begin < first, first < own, own < second, more]).toEqual([true, true, true, []]);
    }
  });
});

test('a definition of a megabyte is prepared in time in proportion to its length', () => {
  const copies = 'COPY --from=base-kairos /a /b';
  const lines = definition({}, `${'\n'.repeat(1_000_000)}${copies}`, `r/x:1.${'1'.repeat(1_000_000)}/`);
  expect(lines).toContain('FROM base-kairos');
  expect(definition({}, `${'\n'.repeat(1_000_000)}\t from x\n${copies}`)).not.toContain('FROM base-kairos');
});
