/** The list that a cluster without internet is filled from. */
import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../controller/config.js';
import { repository } from '../cluster/places.js';
import { sourceFiles } from '../imports.js';
import { containerOf, manifestsIn, settingsOf } from './objects.js';

const textOf = (path: string) => readFileSync(join(repository, path), 'utf8');
const listed = textOf('manifests/images.txt').trim().split('\n');
const installed = manifestsIn(textOf('manifests/install.yaml'));

test('each image stands in it once, and nothing else', () => {
  expect(new Set(listed).size).toBe(listed.length);
  for (const line of listed) expect(line).toMatch(/^\S+:[\w.-]+$/);
});

test('it has what the Pods of the operator run', () => {
  const workloads = [
    ['Deployment', 'operator-controller'],
    ['Deployment', 'operator-webhook'],
    ['DaemonSet', 'operator-agent'],
  ] as const;
  for (const [kind, name] of workloads) expect(listed).toContain(containerOf(installed, kind, name).image);
});

test('it has what the controller is told to use', () => {
  const told = Object.entries(settingsOf(installed)).flatMap(([name, value]) =>
    name.endsWith('_IMAGE') ? (value ?? []) : [],
  );
  expect(told.filter(image => !listed.includes(image))).toEqual([]);
});

test('it has what the controller uses when it is told nothing', () => {
  const { nodeopDefaultImage, toolImage, buildahImage, kairosInitImage } = readConfig({}, []);
  const fallbacks = [nodeopDefaultImage, toolImage, buildahImage, kairosInitImage];
  expect(fallbacks.filter(image => !listed.includes(image))).toEqual([]);
});

test('no other image is named anywhere in the code of the controller', () => {
  const named = sourceFiles('controller').flatMap(file =>
    [...textOf(file).matchAll(/'((?:[\w.-]+\/)*[\w.-]+:(?:latest|v?\d[\w.-]*))'/g)].map(([, image = '']) => image),
  );
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter(image => !listed.includes(image))).toEqual([]);
});
