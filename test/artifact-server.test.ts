/** The manifests of the artifact server. */
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

describe('the artifact server', () => {
  test('has the objects that the documentation names', () => {
    expect(all.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'PersistentVolumeClaim kairos-operator-nginx',
      'Deployment kairos-operator-nginx',
      'Service kairos-operator-nginx',
      'Role artifactCopier',
    ]);
    expect(kustomization.configMapGenerator).toMatchObject([{ name: 'kairos-operator-nginx', files: ['nginx.conf'] }]);
  });

  test('has no fixed namespace', () => {
    expect(all.filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
  });

  test('is also installed by the published folder config/nginx', () => {
    expect(parse(readFileSync('config/nginx/kustomization.yaml', 'utf8'))).toEqual({
      resources: ['../../manifests/nginx'],
    });
  });

  test('is reachable from nodes and from Pods', () => {
    const service = all.find(({ kind }) => kind === 'Service');
    expect(service?.spec).toMatchObject({ type: 'NodePort', ports: [{ port: 80, targetPort: 'http' }] });
  });

  test('grants only reading Pods and running commands in them', () => {
    const role = all.find(({ kind }) => kind === 'Role');
    expect(role?.rules.map(({ resources, verbs }) => `${resources.join()}: ${verbs.join()}`)).toEqual([
      'pods: get,list',
      'pods/exec: create',
    ]);
  });

  test('accepts uploads of any size on the volume from which they are served', () => {
    for (const line of ['dav_methods PUT;', 'create_full_put_path on;', 'client_max_body_size 0;', 'autoindex on;'])
      expect(configuration).toContain(line);
    const [, root = '?'] = /^ *root (\S+);/m.exec(configuration) ?? [];
    expect(configuration).toContain(`client_body_temp_path ${root}/.`);
  });

  test('runs without privileges on its node', () => {
    const text = JSON.stringify(all.find(({ kind }) => kind === 'Deployment'));
    for (const setting of ['"runAsNonRoot":true', '"readOnlyRootFilesystem":true', '"drop":["ALL"]', '"requests"'])
      expect(text).toContain(setting);
  });
});
