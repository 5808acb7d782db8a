/** The manifests of manifests/default as documents, comments and all, with the published images filled in as kustomize does it. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isScalar, parse, parseAllDocuments, visit } from 'yaml';

interface Kustomization {
  resources: string[];
  images?: { name: string; newName: string; newTag: string }[];
}

/** As much of any manifest as packaging looks at. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
}

/** Everything that an installation has, in the order in which it is applied. */
export function installation(repository: string, folder = 'manifests/default'): Document.Parsed[] {
  const { resources, images = [] } = parse(
    readFileSync(join(repository, folder, 'kustomization.yaml'), 'utf8'),
  ) as Kustomization;
  const documents = resources.flatMap(name => {
    const path = join(folder, name);
    return statSync(join(repository, path)).isDirectory()
      ? installation(repository, path)
      : parsed(readFileSync(join(repository, path), 'utf8'));
  });
  const published = new Map(images.map(({ name, newName, newTag }) => [name, `${newName}:${newTag}`]));
  for (const document of documents) nameImages(document, published);
  return documents;
}

/** The documents of a text; none for one without any. */
export function parsed(text: string): Document.Parsed[] {
  const documents = parseAllDocuments(text);
  return 'empty' in documents ? [] : documents;
}

/** In containers, and in the settings that repeat an image. */
function nameImages(document: Document.Parsed, published: ReadonlyMap<string, string>): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isScalar(value) || !['image', 'value'].includes(String(key.value))) return;
      value.value = published.get(String(value.value)) ?? value.value;
    },
  });
}

export const manifestOf = (document: Document): Manifest => document.toJS() as Manifest;

/** The one of that kind and name; throws where there is none. */
export function find(documents: readonly Document.Parsed[], kind: string, name: string): Document.Parsed {
  const found = documents.find(one => one.get('kind') === kind && one.getIn(['metadata', 'name']) === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** One line for each sentence and list item, so that changes can be read. */
export const textOf = (document: Document): string =>
  document.toString({ lineWidth: 0, flowCollectionPadding: false, directives: false });
