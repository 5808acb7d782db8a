/** The chart without helm: the same values over the defaults, through the little engine of `go-template.ts`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHART, KUBERNETES, type Wish } from './helm.js';
import { Templates } from './go-template.js';
import { type Manifest, manifestsIn } from './objects.js';

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps are merged, everything else is replaced; null takes away. */
function over(defaults: Tree, values: Tree): Tree {
  const merged = { ...defaults };
  for (const [key, value] of Object.entries(values)) {
    const known = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isTree(known) && isTree(value) ? over(known, value) : value;
  }
  return merged;
}

const chartDefaults = () => parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Tree;

/** The defaults with these values over them. */
export const mergedValues = (values: object): object => over(chartDefaults(), values as Tree);

/** Of every template file, helpers first. */
function rendered({
  values = {},
  release = 'default',
  kubernetes = KUBERNETES,
}: Wish): (readonly [name: string, text: string])[] {
  const templates = new Templates();
  const dot = {
    Values: mergedValues(values),
    Release: { Namespace: release, Name: 'kairos-operator' },
    Capabilities: { KubeVersion: { Version: `v${kubernetes}` } },
  };
  const folder = join(CHART, 'templates');
  const files = readdirSync(folder).toSorted((a, b) => Number(b.endsWith('.tpl')) - Number(a.endsWith('.tpl')));
  return files.map(name => [name, templates.render(readFileSync(join(folder, name), 'utf8'), dot)]);
}

export const ownText = (wish: Wish = {}): string =>
  rendered(wish)
    .flatMap(([name, text]) => (name.endsWith('.yaml') ? [`${text}\n`] : []))
    .join('---\n');

/** What helm says after an installation. */
export const ownNotes = (wish: Wish = {}): string => new Map(rendered(wish)).get('NOTES.txt') ?? '';

export const ownTemplate = (wish?: Wish): Manifest[] => manifestsIn(ownText(wish));
