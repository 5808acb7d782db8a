/** kustomize, install.yaml and the chart install the same objects. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packagingFiles } from '../../packaging/generate.js';
import { repository } from '../cluster/paths.js';
import { findHelm, helmTemplate } from './helm.js';
import { byName, hasKubectl, installed, manifestsIn, withoutKeepPolicy } from './objects.js';
import { ownTemplate } from './chart-renderer.js';

const textOf = (path: string) => readFileSync(join(repository, path), 'utf8');
const installFile = () => manifestsIn(textOf('manifests/install.yaml'));

test('the committed files are those that "npm run generate" writes', () => {
  for (const { path, text } of packagingFiles(repository)) expect({ path, text: textOf(path) }).toEqual({ path, text });
});

describe('install.yaml', () => {
  test('has the namespace first, then the CRDs, and the webhook configurations after the webhook', () => {
    const kinds = installFile().map(({ kind }) => kind);
    expect(kinds.slice(0, 5)).toEqual(['Namespace', ...Array<string>(4).fill('CustomResourceDefinition')]);
    expect(kinds.indexOf('ValidatingWebhookConfiguration')).toBeGreaterThan(kinds.indexOf('Deployment'));
  });

  if (hasKubectl)
    test('has the same objects as kustomize', () => {
      expect(byName(installFile())).toEqual(byName(installed()));
    });
});

const helm = findHelm();
if (helm !== undefined)
  test('the chart with default values, rendered by Helm, has the same objects as install.yaml', () => {
    expect(byName(helmTemplate(helm).map(withoutKeepPolicy))).toEqual(byName(installFile()));
  });

test('the chart with default values has the same objects as install.yaml', () => {
  expect(byName(ownTemplate().map(withoutKeepPolicy))).toEqual(byName(installFile()));
});
