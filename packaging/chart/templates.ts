/** Manifest → template: what values.yaml may change is taken from there, everything else stays as it is written. */
import type { Document } from 'yaml';
import { manifestOf, textOf } from '../source.js';
import { Placeholders } from './placeholders.js';

type Path = (string | number)[];
const POD: Path = ['spec', 'template', 'spec'];
const CONTAINER: Path = [...POD, 'containers', 0];
const MIRRORED = 'kairos-operator.mirrored';

const PROGRAMS: Record<string, 'controller' | 'webhook' | 'agent'> = {
  'Deployment operator-controller': 'controller',
  'Deployment operator-webhook': 'webhook',
  'DaemonSet operator-agent': 'agent',
};

/** Settings of the controller that name an image, and where the values have it. */
const IMAGE_SETTINGS: Record<string, string> = {
  NODEOP_DEFAULT_IMAGE: 'nodeopDefault',
  TOOL_IMAGE: 'tool',
  BUILDAH_IMAGE: 'buildah',
  KAIROS_INIT_IMAGE: 'kairosInit',
};

/** Under which condition an object is installed; undefined: always. */
function conditionOf({ kind, metadata: { name } }: { kind: string; metadata: { name: string } }): string | undefined {
  if (kind === 'Namespace') return 'and .Values.namespace.create (ne .Values.namespace.name .Release.Namespace)';
  if (kind === 'CustomResourceDefinition') return '.Values.crds.create';
  if (kind.startsWith('ValidatingAdmissionPolicy')) return '.Values.admissionPolicies.create';
  if (kind === 'NetworkPolicy') return '.Values.networkPolicy.create';
  if (name === 'operator-controller-migration') return '.Values.migration.create';
  if (name === 'operator-controller-artifacts') return '.Values.osArtifacts.enabled';
  if (/^operator-\w+-(admin|editor|viewer)-role$/.test(name)) return '.Values.userRoles.create';
  return undefined;
}

/** The documents of one template file. */
export function templateOf(documents: readonly Document.Parsed[]): string {
  return documents.map(document => oneTemplate(document.clone() as Document.Parsed)).join('');
}

function oneTemplate(document: Document.Parsed): string {
  const manifest = manifestOf(document);
  const marks = new Placeholders();
  const program = PROGRAMS[`${manifest.kind} ${manifest.metadata.name}`];
  if (program !== undefined) workload(document, program, marks);
  if (manifest.kind === 'ServiceAccount')
    document.set('imagePullSecrets', marks.treeIfAny('.Values.images.pullSecrets'));
  if (manifest.kind === 'NetworkPolicy') document.setIn(['spec', 'egress', 0, 'ports'], [marks.item(ports)]);
  const body = placed(kept(manifest.kind, marks.fill(`---\n${textOf(document)}`)));
  const condition = conditionOf(manifest);
  return condition === undefined ? body : `{{- if ${condition} }}\n${body}{{- end }}\n`;
}

/** In the namespace of the values; in quotes where it is a value of its own: "123" is a namespace, 123 is none. */
const placed = (text: string): string =>
  text
    .replace(/: operator-system$/gm, ': {{ .Values.namespace.name | quote }}')
    .replaceAll('operator-system', '{{ .Values.namespace.name }}');

/** What an uninstallation leaves: with a kind go all its objects, and with the namespace whatever others have put into it. */
function kept(kind: string, text: string): string {
  const always = '  annotations:\n    helm.sh/resource-policy: keep\n';
  const policy: Record<string, string> = {
    Namespace: always,
    CustomResourceDefinition: `  {{- if .Values.crds.keep }}\n${always}  {{- end }}\n`,
  };
  return text.replace(/^metadata:\n( {2}name: .*\n)/m, head => head + (policy[kind] ?? ''));
}

const ports = (spaces: string): string =>
  ['{{- range .Values.networkPolicy.apiServerPorts }}', '- port: {{ . }}', '  protocol: TCP', '{{- end }}']
    .map(line => spaces + line)
    .join('\n');

function workload(document: Document.Parsed, program: 'controller' | 'webhook' | 'agent', marks: Placeholders): void {
  const values = `.Values.${program}`;
  if (program !== 'agent') {
    document.setIn(['spec', 'replicas'], marks.value(`${values}.replicas`));
    document.setIn([...POD, 'affinity'], marks.tree(`${values}.affinity`));
  }
  document.setIn([...POD, 'priorityClassName'], marks.value(`${values}.priorityClassName | quote`));
  document.setIn([...POD, 'nodeSelector'], marks.tree(`${values}.nodeSelector`));
  document.setIn([...POD, 'tolerations'], marks.tree(`${values}.tolerations`));
  document.setIn([...CONTAINER, 'resources'], marks.tree(`${values}.resources`));
  document.setIn(['spec', 'template', 'metadata', 'annotations'], marks.treeIfAny(`${values}.podAnnotations`));
  document.setIn([...CONTAINER, 'image'], marks.value(productImage(program === 'agent' ? 'agent' : 'operator')));
  document.setIn([...CONTAINER, 'imagePullPolicy'], marks.value('.Values.images.pullPolicy'));
  settings(document, program, marks);
}

const productImage = (which: 'operator' | 'agent'): string => `include "kairos-operator.${which}Image" . | quote`;

function settings(document: Document.Parsed, program: string, marks: Placeholders): void {
  const path = [...CONTAINER, 'env'];
  const env = (document.toJS() as { spec: { template: { spec: { containers: [{ env: { name: string }[] }] } } } }).spec
    .template.spec.containers[0].env;
  for (const [at, { name }] of env.entries()) {
    const value = [...path, at, 'value'];
    const key = IMAGE_SETTINGS[name];
    if (key !== undefined) document.setIn(value, marks.value(mirrored(`.Values.images.${key}`)));
    if (name === 'AGENT_IMAGE') document.setIn(value, marks.value(productImage('agent')));
    if (name === 'SENTINEL_IMAGE') document.setIn(value, marks.valueIfAny('.Values.images.sentinel', mirrored('.')));
    if (name === 'BUILD_ARTIFACTS')
      document.setIn(value, document.createNode(marks.value('.Values.osArtifacts.enabled | quote')));
    if (name === 'ALLOWED_NAMESPACES')
      document.setIn(value, marks.valueIfAny('.Values.allowedNamespaces', 'join "," . | quote'));
    if (name === 'IMAGE_PULL_SECRETS') document.setIn(value, marks.valueIfAny('.Values.images.pullSecrets', NAMES));
  }
  document.addIn(
    path,
    marks.item(spaces => logLevel(spaces)),
  );
  document.addIn(
    path,
    marks.item(spaces => moreSettings(spaces, program)),
  );
}

const mirrored = (image: string): string =>
  `include "${MIRRORED}" (dict "registry" $.Values.images.registry "image" ${image}) | quote`;

const NAMES = 'include "kairos-operator.names" . | quote';

const logLevel = (spaces: string): string =>
  `${spaces}{{- with .Values.logLevel }}\n${spaces}- name: LOG_LEVEL\n${spaces}  value: {{ . | quote }}\n${spaces}{{- end }}`;

const moreSettings = (spaces: string, program: string): string =>
  `${spaces}{{- with .Values.${program}.env }}\n${spaces}{{- toYaml . | nindent ${spaces.length} }}\n${spaces}{{- end }}`;
