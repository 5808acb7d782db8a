import { describe, expect, test } from '@jest/globals';
import { TemplateError } from '../../../../controller/artifact/template/errors.js';
import { render } from '../../../../controller/artifact/template/render.js';

/** The message about a template that cannot be rendered. */
function errorOf(template: string, values: Record<string, string> = {}): string {
  try {
    render(template, values);
  } catch (error) {
    if (error instanceof TemplateError) return error.message;
    throw error;
  }
  throw new Error('the template was rendered');
}

describe('an error names its position and the kind of fault', () => {
  test.each([
    ['a field without a value', 'FROM x\nRUN {{ .my-key }}\n', 'line 2, column 11: bad character after a word'],
    ['an unknown function', 'é{{ sprig .A }}', 'line 1, column 5: function not defined'],
    ['an action that never ends', 'a\nb {{ .A', 'line 2, column 8: unclosed action'],
    ['an if that never ends', 'a\n{{ if .A }}x', 'line 2, column 4: {{if}}, {{with}} or {{range}} without {{end}}'],
    ['an end of nothing', '{{ end }}', 'line 1, column 4: unexpected {{end}}'],
    [
      'two elses',
      '{{ if .A }}{{ else }}{{ else }}{{ end }}',
      'line 1, column 25: unexpected {{else}}: expected {{end}}',
    ],
    ['a break outside of a range', '\n\n{{ break }}', 'line 3, column 4: {{break}} or {{continue}} outside {{range}}'],
    [
      'a field of a text',
      '{{ with .A }}{{ .B }}{{ end }}',
      "line 1, column 17: can't evaluate a field of a value that is not a map",
    ],
    ['an unknown variable', '{{ $x }}', 'line 1, column 4: undefined variable'],
    ['texts and numbers compared', '{{ eq .A 1 }}', 'line 1, column 4: incompatible types for comparison'],
    ['an open text', '{{ "abc }}', 'line 1, column 4: unterminated quoted string'],
  ])('%s', (_, template, message) => expect(errorOf(template, { A: 'x' })).toBe(message));
});

describe('definitions of further templates', () => {
  test.each(['define "x"', 'template "x"', 'block "x" .', 'template "x" .'])('are rejected: %s', action => {
    expect(errorOf(`FROM x\n{{ ${action} }}`)).toBe(
      'line 2, column 4: "define", "template" and "block" are not allowed here',
    );
    expect(errorOf(`{{- ${action} -}}`)).toContain('are not allowed here');
  });

  test('may be mentioned in comments, texts and values', () => {
    const text = '# {{/* define "x" */}}template {{ "{{ block }}" }} define {{ .define }}';
    expect(render(text, { define: 'ok' })).toBe('# template {{ block }} define ok');
  });
});

describe('a template is limited in time and size', () => {
  test.each([
    [
      'costly calls that count little',
      '{{ range 9999 }}{{ $x := printf "%.999999f" 1.5 }}{{ end }}',
      /steps|takes longer/,
    ],
    ['a long count', '{{ range 2000000000 }}{{ end }}', /more than 1000000 steps|takes longer/],
    ['counts within counts', '{{ range 9999 }}{{ range 9999 }}{{ $x := 1 }}{{ end }}{{ end }}', /steps|takes longer/],
    ['much text', '{{ range 9999 }}{{ printf "%1000s" .  }}{{ end }}', /more than 1048576 bytes/],
    ['a text that doubles', '{{ $x := "ab" }}{{ range 99 }}{{ $x = print $x $x }}{{ end }}', /more than 1048576 bytes/],
    ['great widths', '{{ printf "%999999d%999999d" 1 2 }}', /more than 1048576 bytes/],
    [
      'much comparing',
      '{{ $x := printf "%999999d" 1 }}{{ range 999999 }}{{ if eq $x $x }}{{ end }}{{ end }}',
      /steps|takes longer/,
    ],
  ])('%s', (_, template, message) => expect(errorOf(template)).toMatch(message));

  test('limits the depth of nesting', () => {
    const deep = (open: string, close: string) => open.repeat(5000) + close.repeat(5000);
    expect(errorOf(deep('{{ if 1 }}', '{{ end }}'))).toContain('more than 100 levels');
    expect(errorOf(`{{ ${deep('(', ')')} }}`)).toContain('more than 100 nested parentheses');
    expect(errorOf(`{{ if 1 }}${'{{ else if 1 }}'.repeat(5000)}{{ end }}`)).toContain('more than 100 levels');
  });

  test('trims long white space in linear time', () => {
    expect(render(`${' '.repeat(200_000)}x{{- .A }}`, { A: 'y' })).toHaveLength(200_002);
  });
});

describe('an error never quotes the template or a value, which are secret', () => {
  test.each([
    ['a character constant', "FROM scratch\nENV P={{'hunter2'}}"],
    ['an open text', '{{ "hunter2'],
    ['a text after a keyword', '{{ if 1 }}x{{ end "hunter2" }}'],
    ['an argument of a text', '{{ "hunter2" "x" }}'],
    ['a word', '{{ hunter2 }}'],
    ['a variable', '{{ $hunter2 }}'],
    ['a field of a text', '{{ "x" | printf "%s" | len | printf .hunter2.hunter2 }}'],
    ['a number', '{{ 0xhunter2 }}{{ 4hunter2 }}'],
    ['a bad escape', String.raw`{{ "\qhunter2" }}`],
    ['a value as a format', '{{ printf "%p" . }}'],
    ['a character of a word', '{{ .A-hunter2 }}'],
    ['a value as an index', '{{ index .A .P }}{{ slice .A 0 .P }}'],
    ['an index that is out of range', '{{ index .A 424242 }}'],
    ['an else', '{{ if .A }}{{ else hunter2 }}{{ end }}'],
    ['a definition', '{{ define "hunter2" }}{{ end }}'],
    ['a huge number', '{{ 9999999999424242 }}{{ index .A 9999999999424242 }}{{ 99999999999999999999424242 }}'],
  ])('%s', (_, template) => {
    const message = errorOf(template, { A: 'x', P: 'hunter2' });
    expect(message).not.toMatch(/hunter2|424242/);
    expect(message).toMatch(/^line \d+, column \d+: /);
  });
});

describe('a large template is rejected soon, and with little memory', () => {
  const MIB = 1024 * 1024;
  const repeated = (text: string, bytes = MIB - 100) => text.repeat(Math.floor(bytes / text.length));
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 'v'.repeat(20)]));
  test.each<[string, string, Record<string, string>, RegExp]>([
    ['many operands', `{{ ${repeated('1 ')}}}`, {}, /words and signs/],
    ['many actions', repeated('{{1}}'), {}, /words and signs/],
    ['many variables', repeated('{{$a:=1}}', 20_000), {}, /more than 1000 variables/],
    [
      'many uses of many variables',
      Array.from({ length: 990 }, (_, i) => `{{$v${i}:=1}}`).join('') + '{{$v0}}'.repeat(31_500),
      {},
      /steps|longer than 2 s/,
    ],
    [
      'large variables',
      Array.from({ length: 900 }, (_, i) => `{{$a${i}:=printf "%500000s%500000s" "" ""}}`).join(''),
      {},
      /steps|longer than 2 s/,
    ],
    ['a number of a million digits', `{{${repeated('9')}}}`, {}, /a number has more than 1000 digits/],
    [
      'values that multiply when they are escaped',
      '{{ .v | js | js | js }}',
      { v: '<'.repeat(300_000) },
      /returns more/,
    ],
    ['all values printed often', '{{ range 90000 }}{{ $x := print $ }}{{ end }}', many, /steps|longer than 2 s/],
    ['a field of fields', `{{ .${repeated('a.')}a }}`, {}, /words and signs/],
    ['pipelines', `{{ 1${repeated('|print')} }}`, {}, /words and signs/],
    ['comments', repeated('{{/**/}}', MIB * 8), {}, /steps|longer than 2 s/],
  ])('%s', (_, template, values, message) => {
    const start = performance.now();
    expect(errorOf(template, values)).toMatch(message);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test.each<[string, string, string]>([
    ['brackets that are never closed', '%[%', '%%%%'],
    ['indexes of arguments', '%[9]s', 'BADINDEX'],
  ])('a format with %s is read in linear time', (_, piece, output) =>
    expect(render('{{ $x := printf .f }}{{ slice $x 0 40 }}', { f: piece.repeat(20_000) })).toContain(output),
  );
});

describe('template values', () => {
  test('are empty when they are missing', () => {
    expect(render('[{{ .No }}]{{ if .No }}x{{ end }}', {})).toBe('[]');
  });

  test('are processed as bytes and rendered as valid UTF-8', () => {
    const text = '日本é🙂';
    expect(render('{{ .T }} {{ len .T }} {{ slice .T 0 3 }}', { T: text })).toBe(`${text} 12 日`);
  });

  test('may have the names of properties of every object', () => {
    expect(render('{{ .constructor }}|{{ .toString }}|{{ .__proto__ }}', {})).toBe('||');
  });
});
