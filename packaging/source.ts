/** Loads manifests/default as YAML documents with their comments, and sets the published images as kustomize would. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, isScalar, parse, parseAllDocuments, visit } from 'yaml';

interface Kustomization {
  resources: string[];
  images?: { name: string; newName: string; newTag: string }[];
}

/** The fields of a manifest that packaging reads. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
}

/** All documents of a kustomization folder, in the order in which they are applied. */
export function loadInstallation(repository: string, folder = 'manifests/default'): Document.Parsed[] {
  const { resources, images = [] } = parse(
    readFileSync(join(repository, folder, 'kustomization.yaml'), 'utf8'),
  ) as Kustomization;
  const documents = resources.flatMap(name => {
    const path = join(folder, name);
    return statSync(join(repository, path)).isDirectory()
      ? loadInstallation(repository, path)
      : parseDocuments(readFileSync(join(repository, path), 'utf8'));
  });
  const published = new Map(images.map(({ name, newName, newTag }) => [name, `${newName}:${newTag}`]));
  for (const document of documents) setPublishedImages(document, published);
  return documents;
}

/** Parses a text with any number of documents; the yaml library returns a special value instead of an empty list. */
export function parseDocuments(text: string): Document.Parsed[] {
  const documents = parseAllDocuments(text);
  return 'empty' in documents ? [] : documents;
}

/** Replaces the image names in containers and in environment variables that repeat one. */
function setPublishedImages(document: Document.Parsed, published: ReadonlyMap<string, string>): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isScalar(value) || !['image', 'value'].includes(String(key.value))) return;
      value.value = published.get(String(value.value)) ?? value.value;
    },
  });
}

export const manifestOf = (document: Document): Manifest => document.toJS() as Manifest;

/** Throws when no document has that kind and name. */
export function findDocument(documents: readonly Document.Parsed[], kind: string, name: string): Document.Parsed {
  const found = documents.find(one => one.get('kind') === kind && one.getIn(['metadata', 'name']) === name);
  if (found === undefined) throw new Error(`the manifests have no ${kind} named ${name}`);
  return found;
}

/** Long strings are not folded, so that a changed value is one changed line in a diff. */
export const textOf = (document: Document): string =>
  document.toString({ lineWidth: 0, flowCollectionPadding: false, directives: false });
