/** The files of manifests/chart: templates out of the same manifests that kustomize installs, and the values that they may be changed by. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, stringify } from 'yaml';
import * as z from 'zod';
import { parsed } from '../source.js';
import { defaults } from './defaults.js';
import { templateOf } from './templates.js';
import { Values } from './values.js';
import { valuesFile } from './values-file.js';

/** Of components: what a value switches on. */
const MORE = ['network-policy/network-policy.yaml', 'migration/rbac.yaml'];

/** Which template file has which kinds. */
const FILES: readonly [name: string, kinds: RegExp][] = [
  ['namespace', /^Namespace$/],
  ['crds', /^CustomResourceDefinition$/],
  ['rights', /^(ServiceAccount|(Cluster)?Role(Binding)?)$/],
  ['admission-policies', /^ValidatingAdmissionPolicy/],
  ['network-policies', /^NetworkPolicy$/],
  ['programs', /^(Deployment|DaemonSet|Service|PodDisruptionBudget)$/],
  ['webhook-configurations', /WebhookConfiguration$/],
];

const GENERATED = '{{/* Printed by "npm run generate" from manifests/default. */}}\n';

export interface File {
  path: string;
  text: string;
}

/** Everything in the chart that is not written by hand. */
export function chartFiles(documents: readonly Document.Parsed[], repository: string, version: string): File[] {
  const more = MORE.flatMap(name => parsed(readFileSync(join(repository, 'manifests/components', name), 'utf8')));
  const all = [...documents, ...more];
  const values = defaults(documents);
  const templates = FILES.map(([name, kinds]) => ({
    path: `templates/${name}.yaml`,
    text: GENERATED + templateOf(all.filter(document => kinds.test(String(document.get('kind'))))),
  }));
  const files = [
    { path: 'Chart.yaml', text: stringify(metadata(version)) },
    { path: 'values.yaml', text: valuesFile(values) },
    { path: 'values.schema.json', text: `${JSON.stringify(z.toJSONSchema(Values, { target: 'draft-7' }), null, 2)}\n` },
    ...templates,
  ];
  const left = all.filter(document => !FILES.some(([, kinds]) => kinds.test(String(document.get('kind')))));
  if (left.length > 0)
    throw new Error(`no file of the chart is for ${left.map(one => String(one.get('kind'))).join(', ')}`);
  return files.map(({ path, text }) => ({ path: `manifests/chart/${path}`, text }));
}

const metadata = (version: string) => ({
  apiVersion: 'v2',
  name: 'kairos-operator',
  description: 'Day-2 operations for Kubernetes nodes, Kairos nodes above all.',
  type: 'application',
  version,
  appVersion: version,
  kubeVersion: '>=1.28.0-0',
  annotations: { licenses: 'Apache-2.0' },
});
