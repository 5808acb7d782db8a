/** Reads the API server's audit log (level Metadata): which user sent which request, and when. */
import { readFileSync } from 'node:fs';

export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`;

export interface AuditedRequest {
  user: string;
  verb: string;
  resource: string;
  subresource?: string;
  name?: string;
  namespace?: string;
  code?: number;
  /** Milliseconds since the epoch, with fractions. */
  at: number;
}

interface AuditLine {
  user?: { username?: string };
  verb?: string;
  objectRef?: { resource?: string; subresource?: string; name?: string; namespace?: string };
  responseStatus?: { code?: number };
  stage?: string;
  stageTimestamp?: string;
}

/** Parses a timestamp with microseconds; Date.parse alone would drop them. */
const milliseconds = (text: string): number => {
  const micros = /\.\d{3}(\d{3})Z$/.exec(text)?.[1] ?? '0';
  return Date.parse(text) + Number(micros) / 1000;
};

export function readAudit(file: string, since: number): AuditedRequest[] {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as AuditLine)
      // a watch is logged twice, when it starts and when it ends
      .filter(({ verb, stage }) => verb !== 'watch' || stage === 'ResponseStarted')
      .map(({ user, verb = '', objectRef, responseStatus, stageTimestamp = '' }) => ({
        user: user?.username ?? '',
        verb,
        resource: objectRef?.resource ?? '',
        subresource: objectRef?.subresource,
        name: objectRef?.name,
        namespace: objectRef?.namespace,
        code: responseStatus?.code,
        at: milliseconds(stageTimestamp),
      }))
      .filter(request => request.at >= since)
      .sort((a, b) => a.at - b.at)
  );
}

const OURS = /^system:serviceaccount:operator-system:operator-(controller|agent)$/;

/** The requests of the controller and the agents, without evictions and leases. */
export const operatorRequests = (requests: readonly AuditedRequest[]): AuditedRequest[] =>
  requests.filter(each => OURS.test(each.user) && each.resource !== 'leases' && each.subresource !== 'eviction');

/** How often each kind of request was sent, most frequent first. */
export function tally(requests: readonly AuditedRequest[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { user, verb, resource, subresource } of requests) {
    const what = `${user.split(':').at(-1)} ${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}
