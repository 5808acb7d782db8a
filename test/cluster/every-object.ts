/** Everything that an API server knows, for the question what somebody has left behind. */
import type { Kubectl } from './kubectl.js';

interface Listed {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
  };
}

/** Events end by themselves; leases and slices of others are renewed all the time, but stay the same objects. */
const NOT_ASKED = /^(events|componentstatuses)(\.|$)/;

/** All objects of all kinds that can be listed. */
export async function everyObject(kubectl: Kubectl): Promise<Listed[]> {
  const kinds = (await kubectl.do(['api-resources', '--verbs=list', '--output=name', '--cached=false']))
    .trim()
    .split('\n');
  const asked = kinds.filter(kind => !NOT_ASKED.test(kind)).join(',');
  const text = await kubectl.do(['get', asked, '--all-namespaces', '--output=json']);
  return (JSON.parse(text) as { items: Listed[] }).items;
}

export const nameOf = ({ apiVersion, kind, metadata: { namespace = '', name } }: Listed): string =>
  `${apiVersion} ${kind} ${namespace}/${name}`;

/** Objects, and labels and annotations of objects, that speak of the operator. */
export const speakingOf = (word: RegExp, objects: readonly Listed[]): string[] =>
  objects.flatMap(object => {
    const { name, namespace, labels = {}, annotations = {}, finalizers = [] } = object.metadata;
    const words = [name, namespace ?? '', ...Object.entries(labels).flat(), ...Object.keys(annotations), ...finalizers];
    return words.some(each => word.test(each)) ? [nameOf(object)] : [];
  });
