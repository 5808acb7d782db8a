/** The server of artifacts as it is installed. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  spec: Record<string, unknown>;
  rules: { resources: string[]; verbs: string[] }[];
}

const manifestsIn = (file: string) =>
  parseAllDocuments(readFileSync(`manifests/nginx/${file}`, 'utf8')).map(document => document.toJS() as Manifest);
const kustomization = parse(readFileSync('manifests/nginx/kustomization.yaml', 'utf8')) as {
  resources: string[];
  configMapGenerator: { name: string; files: string[] }[];
};
const all = kustomization.resources.flatMap(manifestsIn);
const configuration = readFileSync('manifests/nginx/nginx.conf', 'utf8');

describe('the server of artifacts', () => {
  test('has the objects that the documents name', () => {
    expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'PersistentVolumeClaim kairos-operator-nginx',
      'Deployment kairos-operator-nginx',
      'Service kairos-operator-nginx',
      'Role artifactCopier',
    ]);
    expect(kustomization.configMapGenerator).toMatchObject([{ name: 'kairos-operator-nginx', files: ['nginx.conf'] }]);
  });

  test('goes into whatever namespace it is applied to', () => {
    expect(all.filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
  });

  test('is the same by the published folder', () => {
    expect(parse(readFileSync('config/nginx/kustomization.yaml', 'utf8'))).toEqual({
      resources: ['../../manifests/nginx'],
    });
  });

  test('is reached by nodes and by Pods', () => {
    const service = all.find(({ kind }) => kind === 'Service');
    expect(service?.spec).toMatchObject({ type: 'NodePort', ports: [{ port: 80, targetPort: 'http' }] });
  });

  test('grants looking at Pods and running commands in them, nothing else', () => {
    const role = all.find(({ kind }) => kind === 'Role');
    expect(role?.rules.map(({ resources, verbs }) => `${resources.join()}: ${verbs.join()}`)).toEqual([
      'pods: get,list',
      'pods/exec: create',
    ]);
  });

  test('takes uploads of any size into the volume that they are served from', () => {
    for (const line of ['dav_methods PUT;', 'create_full_put_path on;', 'client_max_body_size 0;', 'autoindex on;'])
      expect(configuration).toContain(line);
    const [, root = '?'] = /^ *root (\S+);/m.exec(configuration) ?? [];
    expect(configuration).toContain(`client_body_temp_path ${root}/.`);
  });

  test('has no rights on its node', () => {
    const text = JSON.stringify(all.find(({ kind }) => kind === 'Deployment'));
    for (const words of ['"runAsNonRoot":true', '"readOnlyRootFilesystem":true', '"drop":["ALL"]', '"requests"'])
      expect(text).toContain(words);
  });
});
