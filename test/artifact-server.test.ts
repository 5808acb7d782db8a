/** The manifests of the artifact server. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { find, hasKubectl, kustomized } from './packaging/objects.js';

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
      'Service kairos-operator-nginx-download',
      'NetworkPolicy kairos-operator-nginx',
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

  test('takes uploads inside the cluster, and only serves files on the port of the nodes', () => {
    const services = all.filter(({ kind }) => kind === 'Service').map(({ spec }) => spec);
    expect(services).toMatchObject([
      { type: 'ClusterIP', ports: [{ port: 80, targetPort: 'http' }] },
      { type: 'NodePort', ports: [{ port: 80, targetPort: 'download' }] },
    ]);
    const [uploads = '', downloads = ''] = configuration.split(/^ {2}server \{$/m).slice(1);
    expect(uploads).toMatch(/listen 8080;[^]*dav_methods PUT;/);
    expect(downloads).toMatch(/listen 8081;/);
    expect(downloads).not.toContain('dav_');
    const text = JSON.stringify(all.find(({ kind }) => kind === 'Deployment'));
    expect(text).toContain('{"name":"http","containerPort":8080},{"name":"download","containerPort":8081}');
  });

  test('takes uploads from Pods of its namespace only', () => {
    const policy = all.find(({ kind }) => kind === 'NetworkPolicy');
    expect(policy?.spec.ingress).toEqual([
      { ports: [{ port: 'http', protocol: 'TCP' }], from: [{ podSelector: {} }] },
      { ports: [{ port: 'download', protocol: 'TCP' }] },
    ]);
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

if (hasKubectl)
  describe('an overlay of the artifact server', () => {
    const overlay = (name: string) => kustomized(`manifests/overlays/${name}`);

    test('serves the files of the Go operator from its claim', () => {
      const objects = overlay('artifact-server-old-claim');
      expect(objects.map(({ kind }) => kind)).not.toContain('PersistentVolumeClaim');
      const server = JSON.stringify(find(objects, 'Deployment', 'kairos-operator-nginx'));
      expect(server).toContain('"claimName":"nginx-public"');
    });

    test('takes uploads from outside the cluster', () => {
      const objects = overlay('artifact-server-open');
      expect(find(objects, 'Service', 'kairos-operator-nginx').spec).toMatchObject({ type: 'NodePort' });
      expect(objects.map(({ kind }) => kind)).not.toContain('NetworkPolicy');
    });
  });
else test('overlays of the artifact server are not tested without kubectl', () => expect(hasKubectl).toBe(false));
