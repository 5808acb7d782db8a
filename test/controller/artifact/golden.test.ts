/** Every object that is created for the documented examples, compared with reviewed files. `GOLDEN=write` updates the files. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { DOCUMENTED, IMAGE, manifestsOf, NESTED_ALL } from './samples.js';

const CASES: Record<string, object> = {
  ...DOCUMENTED,
  'nested-ready-image': { image: { ref: IMAGE }, artifacts: { iso: true } },
  'nested-image-only': { image: { buildOptions: { version: 'v1.0.0', baseImage: 'ubuntu:24.04' } } },
  'nested-all': NESTED_ALL,
};

const yamlOf = (objects: object[]) =>
  objects.map(object => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');

describe('the objects created for a spec match the reviewed file', () => {
  test.each(Object.keys(CASES))('%s', name => {
    const file = `test/controller/artifact/golden/${name}.yaml`;
    const text = yamlOf(manifestsOf(CASES[name] ?? {}));
    if (process.env.GOLDEN === 'write') writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });
});
