import { expect, test } from '@jest/globals';
import { Document } from 'yaml';
import { Placeholders } from '../../packaging/chart/placeholders.js';

const filled = (build: (placeholders: Placeholders) => object): string => {
  const placeholders = new Placeholders();
  return placeholders.fill(new Document(build(placeholders)).toString({ lineWidth: 0 }));
};

test('a value placeholder becomes an expression', () => {
  expect(filled(placeholders => ({ replicas: placeholders.value('.Values.replicas') }))).toBe(
    'replicas: {{ .Values.replicas }}\n',
  );
});

test('a tree placeholder is indented below its key', () => {
  expect(filled(placeholders => ({ spec: { resources: placeholders.tree('.Values.resources') } }))).toBe(
    'spec:\n  resources:\n    {{- toYaml .Values.resources | nindent 4 }}\n',
  );
});

test('an optional tree is omitted together with its key', () => {
  expect(filled(placeholders => ({ annotations: placeholders.optionalTree('.Values.annotations') }))).toBe(
    '{{- with .Values.annotations }}\nannotations:\n  {{- toYaml . | nindent 2 }}\n{{- end }}\n',
  );
});

test('an optional value is omitted together with its key', () => {
  expect(filled(placeholders => ({ env: { value: placeholders.optionalValue('.Values.image', '. | quote') } }))).toBe(
    'env:\n  {{- with .Values.image }}\n  value: {{ . | quote }}\n  {{- end }}\n',
  );
});

test('an item placeholder is replaced as a whole line', () => {
  expect(filled(placeholders => ({ env: ['a', placeholders.item(spaces => `${spaces}# more`)] }))).toBe(
    'env:\n  - a\n  # more\n',
  );
});

test('braces in the manifest are escaped', () => {
  expect(filled(() => ({ about: 'a {{ b }}' }))).toBe('about: a {{ "{{" }} b }}\n');
});

test('a tree placeholder where no whole line can be replaced is an error', () => {
  expect(() => filled(placeholders => ({ list: [{ first: placeholders.tree('.Values.any') }] }))).toThrow(
    'cannot hold a template',
  );
});
