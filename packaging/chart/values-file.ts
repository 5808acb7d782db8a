/** values.yaml: the defaults, each under the sentence that the schema says about it. */
import { Document, isMap, isScalar, type Node } from 'yaml';
import * as z from 'zod';
import { Values } from './values.js';

const HEAD = ` What may be changed, with the defaults, which install exactly what "kubectl apply -k config/default" does.
 Printed by "npm run generate"; values.schema.json says what is allowed.`;

interface Described {
  description?: string;
  properties?: Record<string, Described>;
}

export function valuesFile(values: Values): string {
  const document = new Document(values, { aliasDuplicateObjects: false });
  document.commentBefore = HEAD;
  describe(document.contents, z.toJSONSchema(Values) as Described);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function describe(node: Node | null, { properties = {} }: Described): void {
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const about = isScalar(key) ? properties[String(key.value)] : undefined;
    if (about === undefined || !isScalar(key)) continue;
    if (about.description !== undefined) key.commentBefore = ` ${about.description}`;
    describe(value as Node | null, about);
  }
}
