import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

/** Words that this project once used for things that have a usual name, and that name. */
const DIALECT: readonly (readonly [RegExp, string])[] = [
  [/\bwish(es|ed)?\b/i, 'spec, request, object, requested'],
  [/\bdoorbell\b/i, 'wake signal'],
  [/\bsecond look\b|secondLook/i, 'live read'],
  [/\blook(s|ed|ing)? again\b|lookAgain/i, 'requeue, check again'],
  [/\bfor ever\b/i, 'indefinitely'],
  [/\b(is|are|was|were) (told|said)\b/i, 'is reported, is logged, gets'],
  [/\bsaid so\b|\bsays so\b/i, 'reported'],
  [/\b(with|without) the leave\b/i, 'permission'],
  [/\bcautions?\b/i, 'warning'],
  [/\bodd(ity|ities)\b/i, 'warning'],
  [/\b(earlier|former) operator\b/i, 'legacy operator, the Go operator'],
  [/\btakeover\b/i, 'migration, adoption'],
  [/\bnobody\b|\bwhoever\b/i, 'name who or what'],
];

/** The name of a match condition in the installed webhook configurations: renaming it would change the manifests. */
const PUBLISHED = /a-new-wish/g;

/** Where these words are the subject. */
const ABOUT_WORDS = ['test/vocabulary.test.ts', 'docs/decisions/0015-layout-and-words.md'];

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { encoding: 'utf8' })
  .split('\n')
  .filter(name => /\.(ts|mjs|md|sh|ya?ml|tpl|txt)$|Dockerfile/.test(name) && !ABOUT_WORDS.includes(name));

test.each(DIALECT)('no text uses %s', (word, instead) => {
  const found = files.flatMap(name =>
    readFileSync(name, 'utf8')
      .replace(PUBLISHED, '')
      .split('\n')
      .flatMap((line, index) =>
        word.test(line) ? [`${name}:${index + 1}: ${line.trim().slice(0, 120)} → ${instead}`] : [],
      ),
  );
  expect(found).toEqual([]);
});
