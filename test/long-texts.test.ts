/** Texts leave the programs at four places only, and each of these cuts them. */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { sourceFiles } from './imports.js';

const FILES = ['agent', 'api', 'certs', 'controller', 'kube', 'program', 'webhook'].flatMap(sourceFiles);

test.each([
  ['a status is written', /subresource: 'status'/, ['agent/status-writer.ts', 'kube/patch.ts'], /withCutMessages\(/],
  ['an Event is written', /\bcreate(<\w+>)?\(EVENTS\b/, ['kube/event-recorder.ts'], /cutText\(/],
  ['a log is written', /\bpino\(|console\./, ['program/log.ts'], /cutTexts\(/],
  ['a review is answered', /\banswer\(\{/, ['webhook/review.ts'], /\bcut\(/],
])('%s in these files only, and there its texts are cut', (_, pattern, files, cutting) => {
  const found = FILES.filter(file => pattern.test(readFileSync(file, 'utf8')));
  expect(found).toEqual(files);
  for (const file of files) expect(readFileSync(file, 'utf8')).toMatch(cutting);
});
