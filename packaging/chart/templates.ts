/** Turns a manifest into a template: what values.yaml configures is read from there, everything else stays unchanged. */
import type { Document } from 'yaml';
import { manifestOf, textOf } from '../source.js';
import { artifactsRoleTemplate } from './namespaced-rights.js';
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

/** Environment variables of the controller that name an image, and the key under `.Values.images` of each. */
const IMAGE_VARIABLES: Record<string, string> = {
  NODEOP_DEFAULT_IMAGE: 'nodeopDefault',
  TOOL_IMAGE: 'tool',
  BUILDAH_IMAGE: 'buildah',
  KAIROS_INIT_IMAGE: 'kairosInit',
};

const NAME_LABEL = 'app.kubernetes.io/name';

/**
 * Earlier versions of the webhook created the Secret themselves. Helm refuses to take over an object that it did not create, so that one is left as
 * it is, by the label that only the manifests give it.
 */
const existingSecret = (name: string): string => `lookup "v1" "Secret" .Values.namespace.name "${name}"`;

/** The template condition under which an object is installed; undefined when it is always installed. */
function conditionOf({ kind, metadata: { name } }: { kind: string; metadata: { name: string } }): string | undefined {
  if (kind === 'Namespace') return 'and .Values.namespace.create (ne .Values.namespace.name .Release.Namespace)';
  if (kind === 'CustomResourceDefinition') return '.Values.crds.create';
  if (kind.startsWith('ValidatingAdmissionPolicy')) return '.Values.admissionPolicies.create';
  if (kind === 'Secret')
    return `or (not (${existingSecret(name)})) (dig "metadata" "labels" "${NAME_LABEL}" "" (${existingSecret(name)}))`;
  if (kind === 'NetworkPolicy') return '.Values.networkPolicy.create';
  if (name === 'operator-controller-migration') return '.Values.migration.create';
  if (name === 'operator-controller-artifacts') return '.Values.osArtifacts.enabled';
  if (/^operator-\w+-(admin|editor|viewer)-role$/.test(name)) return '.Values.userRoles.create';
  return undefined;
}

/** The text of one template file. */
export function templateOf(documents: readonly Document.Parsed[]): string {
  return documents.map(document => documentTemplate(document.clone() as Document.Parsed)).join('');
}

function documentTemplate(document: Document.Parsed): string {
  const manifest = manifestOf(document);
  const placeholders = new Placeholders();
  const program = PROGRAMS[`${manifest.kind} ${manifest.metadata.name}`];
  if (program !== undefined) templateWorkload(document, program, placeholders);
  if (manifest.kind === 'ServiceAccount')
    document.set('imagePullSecrets', placeholders.optionalTree('.Values.images.pullSecrets'));
  if (manifest.kind === 'NetworkPolicy')
    document.setIn(['spec', 'egress', 0, 'ports'], [placeholders.item(apiServerPorts)]);
  const isArtifactsRole = manifest.kind === 'ClusterRole' && manifest.metadata.name === 'operator-controller-artifacts';
  const filled = placeholders.fill(`---\n${textOf(document)}`);
  const plain = withNamespaceValue(withResourcePolicy(manifest.kind, filled));
  const body = isArtifactsRole ? artifactsRoleTemplate(document) : plain;
  const condition = conditionOf(manifest);
  return condition === undefined ? body : `{{- if ${condition} }}\n${body}{{- end }}\n`;
}

/** Replaces the namespace. It is quoted where it is a whole value, because YAML would read a name such as 123 as a number. */
const withNamespaceValue = (text: string): string =>
  text
    .replace(/: operator-system$/gm, ': {{ .Values.namespace.name | quote }}')
    .replaceAll('operator-system', '{{ .Values.namespace.name }}');

/** Keeps CRDs and the namespace when the release is uninstalled: deleting them would delete all custom resources, or everything in the namespace. */
function withResourcePolicy(kind: string, text: string): string {
  const always = '  annotations:\n    helm.sh/resource-policy: keep\n';
  const policy: Record<string, string> = {
    Namespace: always,
    CustomResourceDefinition: `  {{- if .Values.crds.keep }}\n${always}  {{- end }}\n`,
  };
  return text.replace(/^metadata:\n( {2}name: .*\n)/m, head => head + (policy[kind] ?? ''));
}

const apiServerPorts = (spaces: string): string =>
  ['{{- range .Values.networkPolicy.apiServerPorts }}', '- port: {{ . }}', '  protocol: TCP', '{{- end }}']
    .map(line => spaces + line)
    .join('\n');

function templateWorkload(
  document: Document.Parsed,
  program: 'controller' | 'webhook' | 'agent',
  placeholders: Placeholders,
): void {
  const values = `.Values.${program}`;
  if (program !== 'agent') {
    document.setIn(['spec', 'replicas'], placeholders.value(`${values}.replicas`));
    document.setIn([...POD, 'affinity'], placeholders.tree(`${values}.affinity`));
  }
  document.setIn([...POD, 'priorityClassName'], placeholders.value(`${values}.priorityClassName | quote`));
  document.setIn([...POD, 'nodeSelector'], placeholders.tree(`${values}.nodeSelector`));
  document.setIn([...POD, 'tolerations'], placeholders.tree(`${values}.tolerations`));
  document.setIn([...CONTAINER, 'resources'], placeholders.tree(`${values}.resources`));
  document.setIn(
    ['spec', 'template', 'metadata', 'annotations'],
    placeholders.optionalTree(`${values}.podAnnotations`),
  );
  document.setIn([...CONTAINER, 'image'], placeholders.value(ownImage(program === 'agent' ? 'agent' : 'operator')));
  document.setIn([...CONTAINER, 'imagePullPolicy'], placeholders.value('.Values.images.pullPolicy'));
  templateEnv(document, program, placeholders);
}

const ownImage = (which: 'operator' | 'agent'): string => `include "kairos-operator.${which}Image" . | quote`;

function templateEnv(document: Document.Parsed, program: string, placeholders: Placeholders): void {
  const path = [...CONTAINER, 'env'];
  const env = (document.toJS() as { spec: { template: { spec: { containers: [{ env: { name: string }[] }] } } } }).spec
    .template.spec.containers[0].env;
  for (const [at, { name }] of env.entries()) {
    const value = [...path, at, 'value'];
    const key = IMAGE_VARIABLES[name];
    if (key !== undefined) document.setIn(value, placeholders.value(mirrored(`.Values.images.${key}`)));
    if (name === 'AGENT_IMAGE') document.setIn(value, placeholders.value(ownImage('agent')));
    if (name === 'SENTINEL_IMAGE')
      document.setIn(value, placeholders.optionalValue('.Values.images.sentinel', mirrored('.')));
    if (name === 'BUILD_ARTIFACTS')
      document.setIn(value, document.createNode(placeholders.value('.Values.osArtifacts.enabled | quote')));
    if (name === 'ALLOWED_NAMESPACES')
      document.setIn(value, placeholders.optionalValue('.Values.allowedNamespaces', 'join "," . | quote'));
    if (name === 'IMAGE_PULL_SECRETS')
      document.setIn(value, placeholders.optionalValue('.Values.images.pullSecrets', PULL_SECRET_NAMES));
  }
  document.addIn(
    path,
    placeholders.item(spaces => logLevelEnv(spaces)),
  );
  document.addIn(
    path,
    placeholders.item(spaces => extraEnv(spaces, program)),
  );
}

const mirrored = (image: string): string =>
  `include "${MIRRORED}" (dict "registry" $.Values.images.registry "image" ${image}) | quote`;

const PULL_SECRET_NAMES = 'include "kairos-operator.names" . | quote';

const logLevelEnv = (spaces: string): string =>
  `${spaces}{{- with .Values.logLevel }}\n${spaces}- name: LOG_LEVEL\n${spaces}  value: {{ . | quote }}\n${spaces}{{- end }}`;

const extraEnv = (spaces: string, program: string): string =>
  `${spaces}{{- with .Values.${program}.env }}\n${spaces}{{- toYaml . | nindent ${spaces.length} }}\n${spaces}{{- end }}`;
