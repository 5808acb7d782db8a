import { expect, test } from '@jest/globals';
import { Document } from 'yaml';
import { Placeholders } from '../../packaging/chart/placeholders.js';

const filled = (make: (marks: Placeholders) => object): string => {
  const marks = new Placeholders();
  return marks.fill(new Document(make(marks)).toString({ lineWidth: 0 }));
};

test('a value becomes an expression', () => {
  expect(filled(marks => ({ replicas: marks.value('.Values.replicas') }))).toBe('replicas: {{ .Values.replicas }}\n');
});

test('a tree stands one step deeper than its key', () => {
  expect(filled(marks => ({ spec: { resources: marks.tree('.Values.resources') } }))).toBe(
    'spec:\n  resources:\n    {{- toYaml .Values.resources | nindent 4 }}\n',
  );
});

test('a tree that may be missing takes its key along', () => {
  expect(filled(marks => ({ annotations: marks.treeIfAny('.Values.annotations') }))).toBe(
    '{{- with .Values.annotations }}\nannotations:\n  {{- toYaml . | nindent 2 }}\n{{- end }}\n',
  );
});

test('a value that may be missing takes its key along', () => {
  expect(filled(marks => ({ env: { value: marks.valueIfAny('.Values.image', '. | quote') } }))).toBe(
    'env:\n  {{- with .Values.image }}\n  value: {{ . | quote }}\n  {{- end }}\n',
  );
});

test('an item of a list is replaced as a whole line', () => {
  expect(filled(marks => ({ env: ['a', marks.item(spaces => `${spaces}# more`)] }))).toBe('env:\n  - a\n  # more\n');
});

test('what looks like a template in a manifest stays text', () => {
  expect(filled(() => ({ about: 'a {{ b }}' }))).toBe('about: a {{ "{{" }} b }}\n');
});

test('a mark at a place where no line can be put is a fault of the generator', () => {
  expect(() => filled(marks => ({ list: [{ first: marks.tree('.Values.any') }] }))).toThrow('no place for a template');
});
