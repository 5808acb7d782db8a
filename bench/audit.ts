/** The API server's own record of who asked for what and when (audit log, level Metadata). */
import { readFileSync } from 'node:fs';

export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
`;

export interface Asked {
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

interface Line {
  user?: { username?: string };
  verb?: string;
  objectRef?: { resource?: string; subresource?: string; name?: string; namespace?: string };
  responseStatus?: { code?: number };
  stage?: string;
  stageTimestamp?: string;
}

/** A timestamp with microseconds; Date alone would drop them. */
const milliseconds = (text: string): number => {
  const micros = /\.\d{3}(\d{3})Z$/.exec(text)?.[1] ?? '0';
  return Date.parse(text) + Number(micros) / 1000;
};

export function readAudit(file: string, since: number): Asked[] {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Line)
      // a watch is told of twice, at its begin and at its end
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
      .filter(asked => asked.at >= since)
      .sort((a, b) => a.at - b.at)
  );
}

const OURS = /^system:serviceaccount:operator-system:operator-(controller|agent)$/;

/** Requests of controller and agents, without evictions and leases. */
export const ofOurs = (asked: readonly Asked[]): Asked[] =>
  asked.filter(each => OURS.test(each.user) && each.resource !== 'leases' && each.subresource !== 'eviction');

/** How often each kind of request was made, most frequent first. */
export function tally(asked: readonly Asked[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { user, verb, resource, subresource } of asked) {
    const what = `${user.split(':').at(-1)} ${verb} ${resource}${subresource ? `/${subresource}` : ''}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}
