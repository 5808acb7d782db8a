/** Random templates that are hostile: valid ones with broken pieces, pieces repeated to great length, and values that are secret. The same seed gives the same ones. */
import { TemplateGenerator } from './template-generator.js';

/** Part of every value and of many templates: no message may contain it. */
export const MARKER = 'hunter2';

const PIECES = [
  `{{ ${MARKER} }}`,
  `{{ '${MARKER}' }}`,
  `{{ "${MARKER}" "x" }}`,
  `{{ $${MARKER} }}`,
  `{{ .A.${MARKER} }}`,
  '{{ printf .F . }}',
  '{{ printf "%999999d" 1 | js }}',
  '{{ range 99999 }}{{ $x := print $ }}{{ end }}',
  '{{ $a := 1 }}{{ $a }}',
  '{{ if .A }}',
  '{{ else if 1 }}',
  '{{ end }}',
  '((((((',
  '{{- ',
  ' -}}',
  '{{/*',
  '9999999999',
  '|print',
  '%[%*[3]d',
  '"',
  '`',
  "'",
  '\u0000',
  '\ud800',
  '🙂',
];

export interface HostileTemplate {
  template: string;
  values: Record<string, string>;
}

export function hostileTemplates(seed: number): () => HostileTemplate {
  const generator = new TemplateGenerator(seed);
  let state = seed;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 8) % limit;
  };
  const piece = () => PIECES[next(PIECES.length)] ?? '';
  const repeated = (text: string) => text.repeat(next(10) === 0 ? next(Math.floor(500_000 / text.length)) : next(4));
  return () => {
    const parts = Array.from(
      { length: 1 + next(5) },
      () => [generator.template(), piece(), repeated(piece())][next(3)],
    );
    const values = { A: MARKER, F: repeated(`${piece()}%[1]s`), [`key-${MARKER}`]: repeated(`<${MARKER}>`), B: '' };
    return { template: parts.join(''), values };
  };
}
