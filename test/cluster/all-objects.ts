/** Lists all objects of a cluster, to find out what an uninstallation leaves behind. */
import type { Kubectl } from './kubectl.js';

interface ListedObject {
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

/** Events expire, and component statuses are not stored objects. */
const IGNORED_KINDS = /^(events|componentstatuses)(\.|$)/;

/** All objects of all listable kinds. */
export async function allObjects(kubectl: Kubectl): Promise<ListedObject[]> {
  const kinds = (await kubectl.do(['api-resources', '--verbs=list', '--output=name', '--cached=false']))
    .trim()
    .split('\n');
  const listedKinds = kinds.filter(kind => !IGNORED_KINDS.test(kind)).join(',');
  const text = await kubectl.do(['get', listedKinds, '--all-namespaces', '--output=json']);
  return (JSON.parse(text) as { items: ListedObject[] }).items;
}

export const nameOf = ({ apiVersion, kind, metadata: { namespace = '', name } }: ListedObject): string =>
  `${apiVersion} ${kind} ${namespace}/${name}`;

/** Objects whose name, namespace, labels, annotation keys or finalizers match the pattern. */
export const mentioning = (pattern: RegExp, objects: readonly ListedObject[]): string[] =>
  objects.flatMap(object => {
    const { name, namespace, labels = {}, annotations = {}, finalizers = [] } = object.metadata;
    const names = [name, namespace ?? '', ...Object.entries(labels).flat(), ...Object.keys(annotations), ...finalizers];
    return names.some(each => pattern.test(each)) ? [nameOf(object)] : [];
  });
