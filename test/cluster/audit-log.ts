/** Compares the permissions that the operator's three programs used, according to the API server's audit log, with those that the manifests grant. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { repository, runFolder } from './paths.js';
import { recordOf } from './process-record.js';

/** A permission that a role grants or a request used, for example `operator-agent: patch nodeagents/status`. */
export type Permission = string;

const PROGRAMS = ['operator-controller', 'operator-agent', 'operator-webhook'] as const;
const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    users: [${PROGRAMS.map(name => `"system:serviceaccount:operator-system:${name}"`).join(', ')}]
  - level: None
`;

const folder = () => runFolder('audit');

/** API server flags that enable the audit log. Each process has a log file of its own; those of ended processes are removed. */
export function auditFlags(): string[] {
  const own = `audit-${process.pid}.log`;
  mkdirSync(folder(), { recursive: true });
  for (const name of readdirSync(folder())) if (isStale(name)) rmSync(join(folder(), name), { force: true });
  const policy = join(folder(), 'policy.yaml');
  writeFileSync(policy, POLICY);
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${join(folder(), own)}`];
}

function isStale(name: string): boolean {
  const [, pid] = /^audit-(\d+)\.log/.exec(name) ?? [];
  return pid !== undefined && recordOf(Number(pid)) === undefined;
}

/** The audit log of the last run. */
export function readAuditLog(): string {
  const names = existsSync(folder()) ? readdirSync(folder()).filter(name => name.endsWith('.log')) : [];
  return names.map(name => readFileSync(join(folder(), name), 'utf8')).join('');
}

interface AuditEvent {
  user?: { username?: string };
  verb?: string;
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string };
  responseStatus?: { code?: number };
}

/** How often each permission was used. Forbidden requests do not count. */
export function usedPermissions(auditLog: string): Map<Permission, number> {
  const used = new Map<Permission, number>();
  for (const text of auditLog.split('\n').filter(line => line !== '')) {
    const { user, verb = '', objectRef = {}, responseStatus } = JSON.parse(text) as AuditEvent;
    if (objectRef.resource === undefined || responseStatus?.code === 403) continue;
    const permission = permissionOf(
      user?.username?.split(':').at(-1) ?? '',
      verb,
      objectRef.resource,
      objectRef.subresource,
    );
    used.set(permission, (used.get(permission) ?? 0) + 1);
  }
  return used;
}

const permissionOf = (program: string, verb: string, resource: string, subresource?: string): Permission =>
  `${program}: ${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`;

interface Role {
  kind: string;
  metadata: { name: string };
  rules?: { resources?: string[]; verbs: string[] }[];
}

/** A program can have several roles, whose names start with that of the program. */
const programOf = (role: string): string => PROGRAMS.find(name => role.startsWith(name)) ?? role;

/** Permissions that the manifests grant to the operator's programs. */
export function grantedPermissions(): Set<Permission> {
  const files = PROGRAMS.map(name => `${name.replace('operator-', '')}-rbac.yaml`);
  const roles = files.flatMap(file =>
    parseAllDocuments(readFileSync(join(repository, 'manifests/default', file), 'utf8')).map(
      document => document.toJS() as Role,
    ),
  );
  return new Set(
    roles.flatMap(({ metadata, rules = [] }) =>
      rules.flatMap(({ resources = [], verbs }) =>
        resources.flatMap(resource => verbs.map(verb => permissionOf(programOf(metadata.name), verb, resource))),
      ),
    ),
  );
}

/** Permissions that a run of all stories does not use, and the reason why they are granted. */
export const UNUSED_ON_PURPOSE: ReadonlyMap<RegExp, string> = new Map([
  [
    /: update \w+\/finalizers$/,
    'required by the admission plugin OwnerReferencesPermissionEnforcement, not by a request',
  ],
]);

/** Granted permissions that were not used, except those in UNUSED_ON_PURPOSE. */
export const unusedPermissions = (
  granted: ReadonlySet<Permission>,
  used: ReadonlyMap<Permission, number>,
): Permission[] =>
  [...granted]
    .filter(
      permission => !used.has(permission) && ![...UNUSED_ON_PURPOSE.keys()].some(pattern => pattern.test(permission)),
    )
    .toSorted();
