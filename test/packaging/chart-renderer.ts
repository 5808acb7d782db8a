/** Renders the chart without Helm: merges the values with the defaults and runs the template engine of `go-template.ts`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHART, KUBERNETES, type ChartInputs } from './helm.js';
import { Templates } from './go-template.js';
import { type Manifest, manifestsIn } from './objects.js';

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Merges values as Helm does: maps are merged, null removes a key, and everything else is replaced. */
function merge(defaults: Tree, values: Tree): Tree {
  const merged = { ...defaults };
  for (const [key, value] of Object.entries(values)) {
    const current = merged[key];
    if (value === null) delete merged[key];
    else merged[key] = isTree(current) && isTree(value) ? merge(current, value) : value;
  }
  return merged;
}

const chartDefaults = () => parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Tree;

/** The default values, overridden by these. */
export const mergedValues = (values: object): object => merge(chartDefaults(), values as Tree);

/** Name and text of every rendered template file; helpers are rendered first. */
function rendered({
  values = {},
  release = 'default',
  kubernetes = KUBERNETES,
}: ChartInputs): (readonly [name: string, text: string])[] {
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

export const ownText = (inputs: ChartInputs = {}): string =>
  rendered(inputs)
    .flatMap(([name, text]) => (name.endsWith('.yaml') ? [`${text}\n`] : []))
    .join('---\n');

/** The notes that Helm prints after an installation. */
export const ownNotes = (inputs: ChartInputs = {}): string => new Map(rendered(inputs)).get('NOTES.txt') ?? '';

export const ownTemplate = (inputs?: ChartInputs): Manifest[] => manifestsIn(ownText(inputs));
