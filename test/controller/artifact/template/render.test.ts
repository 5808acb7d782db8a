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

describe('an error names its position', () => {
  test.each([
    ['a field without a value', 'FROM x\nRUN {{ .my-key }}\n', 'line 2, column 11: bad character "-"'],
    ['an unknown function', 'é{{ sprig .A }}', 'line 1, column 5: function "sprig" not defined'],
    ['an action that never ends', 'a\nb {{ .A', 'line 2, column 8: unclosed action'],
    ['an if that never ends', 'a\n{{ if .A }}x', 'line 2, column 4: {{if}} without {{end}}'],
    ['an end of nothing', '{{ end }}', 'line 1, column 4: unexpected {{end}}'],
    [
      'two elses',
      '{{ if .A }}{{ else }}{{ else }}{{ end }}',
      'line 1, column 25: unexpected {{else}}: expected {{end}}',
    ],
    ['a break outside of a range', '\n\n{{ break }}', 'line 3, column 4: {{break}} outside {{range}}'],
    ['a field of a text', '{{ with .A }}{{ .B }}{{ end }}', "line 1, column 17: can't evaluate field B in type string"],
    ['an unknown variable', '{{ $x }}', 'line 1, column 4: undefined variable "$x"'],
    [
      'texts and numbers compared',
      '{{ eq .A 1 }}',
      'line 1, column 4: incompatible types for comparison: string and int',
    ],
    ['an open text', '{{ "abc }}', 'line 1, column 4: unterminated quoted string'],
  ])('%s', (_, template, message) => expect(errorOf(template, { A: 'x' })).toBe(message));
});

describe('definitions of further templates', () => {
  test.each(['define "x"', 'template "x"', 'block "x" .', 'template "x" .'])('are rejected: %s', action => {
    expect(errorOf(`FROM x\n{{ ${action} }}`)).toMatch(
      /^line 2, column 4: "(define|template|block)" is not allowed here$/,
    );
    expect(errorOf(`{{- ${action} -}}`)).toContain('is not allowed here');
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
      /takes longer than 2 s/,
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
