/** What our three programs ask the API server for, written down by the API server itself, and compared with what they may ask for. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { repository, runFolder } from './places.js';
import { recordOf } from './process-record.js';

/** A right as a role grants it, or as a request used it: `operator-agent: patch nodeagents/status`. */
export type Right = string;

const PROGRAMS = ['operator-controller', 'operator-agent', 'operator-webhook'] as const;
const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    users: [${PROGRAMS.map(name => `"system:serviceaccount:operator-system:${name}"`).join(', ')}]
  - level: None
`;

const folder = () => runFolder('rights');

/** Flags of an API server that keeps such a trail. Its file is this process' own; those of earlier runs, whose processes have ended, go. */
export function auditFlags(): string[] {
  const own = `audit-${process.pid}.log`;
  mkdirSync(folder(), { recursive: true });
  for (const name of readdirSync(folder())) if (isOver(name)) rmSync(join(folder(), name), { force: true });
  const policy = join(folder(), 'policy.yaml');
  writeFileSync(policy, POLICY);
  return [`--audit-policy-file=${policy}`, `--audit-log-path=${join(folder(), own)}`];
}

function isOver(name: string): boolean {
  const [, pid] = /^audit-(\d+)\.log/.exec(name) ?? [];
  return pid !== undefined && recordOf(Number(pid)) === undefined;
}

/** The trail that the last run left. */
export function readTrail(): string {
  const names = existsSync(folder()) ? readdirSync(folder()).filter(name => name.endsWith('.log')) : [];
  return names.map(name => readFileSync(join(folder(), name), 'utf8')).join('');
}

interface Line {
  user?: { username?: string };
  verb?: string;
  objectRef?: { apiGroup?: string; resource?: string; subresource?: string };
  responseStatus?: { code?: number };
}

/** How often each right was used. A request that was forbidden used none. */
export function usedRights(trail: string): Map<Right, number> {
  const used = new Map<Right, number>();
  for (const text of trail.split('\n').filter(line => line !== '')) {
    const { user, verb = '', objectRef = {}, responseStatus } = JSON.parse(text) as Line;
    if (objectRef.resource === undefined || responseStatus?.code === 403) continue;
    const right = rightOf(user?.username?.split(':').at(-1) ?? '', verb, objectRef.resource, objectRef.subresource);
    used.set(right, (used.get(right) ?? 0) + 1);
  }
  return used;
}

const rightOf = (who: string, verb: string, resource: string, below?: string): Right =>
  `${who}: ${verb} ${resource}${below === undefined ? '' : `/${below}`}`;

interface Role {
  kind: string;
  metadata: { name: string };
  rules?: { resources?: string[]; verbs: string[] }[];
}

/** A program may have several roles: their names begin with its own. */
const programOf = (role: string): string => PROGRAMS.find(name => role.startsWith(name)) ?? role;

/** What the manifests grant our programs. */
export function grantedRights(): Set<Right> {
  const files = PROGRAMS.map(name => `${name.replace('operator-', '')}-rbac.yaml`);
  const roles = files.flatMap(file =>
    parseAllDocuments(readFileSync(join(repository, 'manifests/default', file), 'utf8')).map(
      document => document.toJS() as Role,
    ),
  );
  return new Set(
    roles.flatMap(({ metadata, rules = [] }) =>
      rules.flatMap(({ resources = [], verbs }) =>
        resources.flatMap(resource => verbs.map(verb => rightOf(programOf(metadata.name), verb, resource))),
      ),
    ),
  );
}

/** Rights that a run of all stories does not use, and why they are granted all the same. */
export const UNUSED_ON_PURPOSE: ReadonlyMap<RegExp, string> = new Map([
  [
    /: update \w+\/finalizers$/,
    'asked for by the admission plugin OwnerReferencesPermissionEnforcement, not by a request',
  ],
]);

/** Granted, and neither used nor excused. */
export const unusedRights = (granted: ReadonlySet<Right>, used: ReadonlyMap<Right, number>): Right[] =>
  [...granted]
    .filter(right => !used.has(right) && ![...UNUSED_ON_PURPOSE.keys()].some(excused => excused.test(right)))
    .toSorted();
