/** Kustomize, the one file and the chart install the same. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packaged } from '../../packaging/generate.js';
import { repository } from '../cluster/places.js';
import { findHelm, helmTemplate } from './helm.js';
import { byName, hasKubectl, installed, manifestsIn, unmarked } from './objects.js';
import { ownTemplate } from './own-renderer.js';

const textOf = (path: string) => readFileSync(join(repository, path), 'utf8');
const oneFile = () => manifestsIn(textOf('manifests/install.yaml'));

test('what is committed is what "npm run generate" prints', () => {
  for (const { path, text } of packaged(repository)) expect({ path, text: textOf(path) }).toEqual({ path, text });
});

describe('the one file', () => {
  test('has the namespace first, then the kinds, and what calls the webhook after the webhook', () => {
    const kinds = oneFile().map(({ kind }) => kind);
    expect(kinds.slice(0, 5)).toEqual(['Namespace', ...Array<string>(4).fill('CustomResourceDefinition')]);
    expect(kinds.indexOf('ValidatingWebhookConfiguration')).toBeGreaterThan(kinds.indexOf('Deployment'));
  });

  if (hasKubectl)
    test('has the same objects as kustomize', () => {
      expect(byName(oneFile())).toEqual(byName(installed()));
    });
});

const helm = findHelm();
if (helm !== undefined)
  test('the chart with its defaults, rendered by helm, has the same objects as the one file', () => {
    expect(byName(helmTemplate(helm).map(unmarked))).toEqual(byName(oneFile()));
  });

test('the chart with its defaults has the same objects as the one file', () => {
  expect(byName(ownTemplate().map(unmarked))).toEqual(byName(oneFile()));
});
