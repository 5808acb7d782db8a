/**
 * The role for OSArtifacts, with its permissions on Secrets, ConfigMaps and claims only in the namespaces whose objects are processed. The API
 * server refuses a watch of all OSArtifacts to a role of single namespaces, so that permission stays cluster-wide.
 */
import type { Document } from 'yaml';
import { textOf } from '../source.js';

const RULES = 'rules:\n';

/** A rule with the comments above it. */
const RULE = /(?: {2}#.*\n)* {2}- apiGroups:.*\n(?: {4}.*\n)*/g;

/** The rules whose API group is, or is not, the core group. */
const rulesOf = (text: string, isCore: boolean): string =>
  (text.match(RULE) ?? []).filter(rule => rule.includes("apiGroups: ['']") === isCore).join('');

const namespaced = (kind: 'Role' | 'RoleBinding'): string => `---
apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}
metadata:
  name: operator-controller-artifacts
  namespace: {{ . | quote }}
  labels:
    app.kubernetes.io/name: kairos-operator
`;

const BINDING = `${namespaced('RoleBinding')}roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: operator-controller-artifacts
subjects:
  - kind: ServiceAccount
    name: operator-controller
    namespace: {{ $.Values.namespace.name | quote }}
`;

/** The ClusterRole and, where namespaces are limited, a Role and its binding in each of them. */
export function artifactsRoleTemplate(document: Document.Parsed): string {
  const [head = '', rules = ''] = textOf(document).split(RULES);
  const core = rulesOf(rules, true);
  return [
    `---\n${head}${RULES}${rulesOf(rules, false)}`,
    `{{- if not .Values.allowedNamespaces }}\n${core}{{- end }}\n`,
    `{{- range .Values.allowedNamespaces }}\n${namespaced('Role')}${RULES}${core}${BINDING}{{- end }}\n`,
  ].join('');
}
