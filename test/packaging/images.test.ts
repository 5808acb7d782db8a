/** manifests/images.txt, from which a cluster without internet access is supplied. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../controller/config.js';
import { TOOL_IMAGES } from '../../controller/artifact/build/tool-images.js';
import { SHELL_IMAGE } from '../../controller/default-images.js';
import { repository } from '../cluster/paths.js';
import { sourceFiles } from '../imports.js';
import { containerOf, manifestsIn, controllerEnv } from './objects.js';

const textOf = (path: string) => readFileSync(join(repository, path), 'utf8');
const listed = textOf('manifests/images.txt').trim().split('\n');
const installed = manifestsIn(textOf('manifests/install.yaml'));

test('the list contains only image names, each once', () => {
  expect(new Set(listed).size).toBe(listed.length);
  for (const line of listed) expect(line).toMatch(/^\S+:[\w.-]+$/);
});

test('no image of the list can change under its name without a new release', () => {
  for (const line of listed) expect(line).not.toMatch(/:(latest|stable|main|master|edge)$/);
});

test('the list contains the images of the Deployments and the DaemonSet', () => {
  const workloads = [
    ['Deployment', 'operator-controller'],
    ['Deployment', 'operator-webhook'],
    ['DaemonSet', 'operator-agent'],
  ] as const;
  for (const [kind, name] of workloads) expect(listed).toContain(containerOf(installed, kind, name).image);
});

test('the list contains the images configured in the environment of the controller', () => {
  const configured = Object.entries(controllerEnv(installed)).flatMap(([name, value]) =>
    name.endsWith('_IMAGE') ? (value ?? []) : [],
  );
  expect(configured.filter(image => !listed.includes(image))).toEqual([]);
});

test('the list contains the default images of the controller', () => {
  const { nodeopDefaultImage, toolImage, buildahImage, kairosInitImage } = readConfig({}, []);
  const fallbacks = [nodeopDefaultImage, toolImage, buildahImage, kairosInitImage];
  expect(fallbacks.filter(image => !listed.includes(image))).toEqual([]);
});

test('the list contains every image named in the code of the controller', () => {
  const named = sourceFiles('controller').flatMap(file =>
    [...textOf(file).matchAll(/'((?!node:)(?:[\w.-]+\/)*[\w.-]+:(?:latest|v?\d[\w.-]*))'/g)].map(
      ([, image = '']) => image,
    ),
  );
  expect(named.toSorted()).toEqual([SHELL_IMAGE, ...Object.values(TOOL_IMAGES)].toSorted());
  expect(named.filter(image => !listed.includes(image))).toEqual([]);
});
