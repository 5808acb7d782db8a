/** Policies that refuse requests, with the answers of a real API server. */
import { KubeError } from '../../../kube/errors.js';
import type { AdmissionPolicy } from './api-server.js';
import type { NewObject } from './mutating-admission.js';
import type { PodSpec } from './object-types.js';

const forbidden = (plural: string, name: string, why: string) =>
  new KubeError(403, `${plural} "${name}" is forbidden: ${why}`, 'Forbidden');

const UNITS: Readonly<Record<string, number>> = { '': 1, m: 0.001, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };

function quantity(text: string): number {
  const [, digits = '', unit = ''] = /^([\d.]+)(\D*)$/.exec(text) ?? [];
  return Number(digits) * (UNITS[unit] ?? Number.NaN);
}

interface Limits {
  min?: Readonly<Record<string, string>>;
  max?: Readonly<Record<string, string>>;
}

/** A LimitRange of the type Container, without defaults; for defaults see `defaultLimits`. */
export const limitRange =
  ({ min = {}, max = {} }: Limits): AdmissionPolicy =>
  ({ verb, plural, name, object }) => {
    if (plural !== 'pods' || verb === 'evict' || !object) return undefined;
    const { containers, initContainers = [] } = object.spec as PodSpec;
    const faults = [...containers, ...initContainers].flatMap(({ resources = {} }) => [
      ...Object.entries(min).flatMap(([resource, least]) => below(resource, least, resources)),
      ...Object.entries(max).flatMap(([resource, most]) => above(resource, most, resources)),
    ]);
    const [first] = faults;
    return first === undefined
      ? undefined
      : forbidden(plural, name, faults.length === 1 ? first : `[${faults.join(', ')}]`);
  };

type Resources = NonNullable<PodSpec['containers'][number]['resources']>;

/** A request that is absent is that of the limit. */
function below(resource: string, least: string, { limits, requests }: Resources): string[] {
  const asked = requests?.[resource] ?? limits?.[resource];
  const words = `minimum ${resource} usage per Container is ${least}`;
  if (asked === undefined) return [`${words}.  No request is specified`];
  return quantity(asked) < quantity(least) ? [`${words}, but request is ${asked}`] : [];
}

function above(resource: string, most: string, { limits }: Resources): string[] {
  const limit = limits?.[resource];
  const words = `maximum ${resource} usage per Container is ${most}`;
  if (limit === undefined) return [`${words}.  No limit is specified`];
  return quantity(limit) > quantity(most) ? [`${words}, but limit is ${limit}`] : [];
}

/** A ResourceQuota on the number of objects that is used up; a dry run is refused as well. */
export const quotaUsedUp =
  (plural: 'pods' | 'count/jobs.batch', isExhausted: () => boolean = () => true): AdmissionPolicy =>
  request => {
    const counted = plural === 'pods' ? 'pods' : 'jobs';
    if (request.plural !== counted || request.verb === 'evict' || !isExhausted()) return undefined;
    return forbidden(
      counted === 'jobs' ? 'jobs.batch' : counted,
      request.name,
      `exceeded quota: compute, requested: ${plural}=1, used: ${plural}=10, limited: ${plural}=10`,
    );
  };

/** A ResourceQuota on compute resources refuses every Pod whose containers do not say what they need. */
export const quotaNeedsLimits =
  (resource: string): AdmissionPolicy =>
  ({ verb, plural, name, object }) => {
    if (plural !== 'pods' || verb === 'evict' || !object) return undefined;
    const { containers, initContainers = [] } = object.spec as PodSpec;
    const names = [...containers, ...initContainers]
      .filter(({ resources }) => resources?.limits?.[resource] === undefined)
      .map(each => each.name);
    if (names.length === 0) return undefined;
    return forbidden(plural, name, `failed quota: compute: must specify limits.${resource} for: ${names.join(',')}`);
  };

/** A webhook such as Kyverno or Gatekeeper that refuses one kind only; a Job's Pods are not asked about. */
export const refuseKind =
  (plural: string, words: string, which: (object: NewObject) => boolean = () => true): AdmissionPolicy =>
  request => {
    if (request.plural !== plural || request.verb === 'evict' || !request.object || !which(request.object))
      return undefined;
    return new KubeError(400, `admission webhook "validate.policy.example" denied the request: ${words}`);
  };

/** The first refusal counts. */
export const anyOf =
  (...policies: readonly AdmissionPolicy[]): AdmissionPolicy =>
  request => {
    for (const policy of policies) {
      const refused = policy(request);
      if (refused) return refused;
    }
    return undefined;
  };
