/** Pushes an image to a registry over the registry API: a test image with a layer of additional files on top. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ImageConfig } from './archive.js';
import type { Image } from './images.js';
import { mustRun } from './run-command.js';

export interface PushTarget {
  /** URL of the registry. */
  url: string;
  authorization: string;
  /** Repository and tag. */
  name: string;
}

export interface ImageChange {
  /** Text files to add, by path in the image. */
  files?: Record<string, string>;
  /** Executable files to add, by path in the image. */
  programs?: Record<string, Uint8Array>;
  /** Leave out the layers of the base image. */
  bare?: boolean;
  /** Additional environment variables. They make the image configuration unique, so that nodes have to fetch it even if they have the layers. */
  environment?: Record<string, string>;
  /** Push an index that contains the image for this architecture only. */
  onlyFor?: string;
}

const TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Pushes the image and returns the digest that the tag refers to afterwards. */
export async function pushImage(target: PushTarget, base: Image, change: ImageChange): Promise<string> {
  const { layer, config } = await readImage(base);
  const addedLayer = await buildLayer(change);
  const tars = change.bare === true ? [addedLayer] : [layer, addedLayer];
  const environment = Object.entries(change.environment ?? {}).map(([key, value]) => `${key}=${value}`);
  const ownConfig = { ...config, Env: [...(config.Env ?? []), ...environment] };
  const image = {
    architecture: change.onlyFor ?? 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: ownConfig,
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  };
  const blobs = [
    { type: TYPES.config, bytes: Buffer.from(JSON.stringify(image)) },
    ...tars.map(bytes => ({ type: TYPES.layer, bytes })),
  ];
  for (const { bytes } of blobs) await putBlob(target, bytes);
  const [first, ...layers] = blobs.map(({ type, bytes }) => descriptorOf(type, bytes));
  const manifest = { schemaVersion: 2, mediaType: TYPES.manifest, config: first, layers };
  if (change.onlyFor === undefined) return await putManifest(target, manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  await putManifest({ ...target, name: `${repositoryOf(target)}:${digestOf(bytes)}` }, manifest);
  const entry = { ...descriptorOf(TYPES.manifest, bytes), platform: { os: 'linux', architecture: change.onlyFor } };
  return await putManifest(target, { schemaVersion: 2, mediaType: TYPES.index, manifests: [entry] });
}

const descriptorOf = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

async function readImage({ tar }: Image): Promise<{ layer: Buffer; config: ImageConfig }> {
  return await withTempFolder(async folder => {
    await mustRun('tar', ['-xf', tar, '-C', folder]);
    const { config } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { config: ImageConfig };
    return { layer: readFileSync(join(folder, 'layer.tar')), config };
  });
}

async function buildLayer({ files = {}, programs = {} }: ImageChange): Promise<Buffer> {
  return await withTempFolder(async folder => {
    const root = join(folder, 'root');
    mkdirSync(root);
    const put = (path: string, text: string | Uint8Array, mode: number) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text, { mode });
    };
    for (const [path, text] of Object.entries(files)) put(path, text, 0o644);
    for (const [path, text] of Object.entries(programs)) put(path, text, 0o755);
    const reproducible = [
      '--numeric-owner',
      '--owner=0',
      '--group=0',
      '--sort=name',
      '--mtime=@0',
      '--mode=u=rwX,go=rX',
    ];
    await mustRun('tar', ['-C', root, ...reproducible, '-cf', join(folder, 'layer'), '.']);
    return readFileSync(join(folder, 'layer'));
  });
}

async function withTempFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'registry-push-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Splits the name into repository and reference. The reference is a tag or a digest, which itself contains a colon. */
const splitName = ({ name }: PushTarget): [repository: string, reference: string] => {
  const at = name.indexOf(':');
  return [name.slice(0, at), name.slice(at + 1)];
};
const repositoryOf = (target: PushTarget) => splitName(target)[0];

async function putBlob(target: PushTarget, bytes: Buffer): Promise<void> {
  const repository = repositoryOf(target);
  const digest = digestOf(bytes);
  const existing = await send(target, 'HEAD', `/v2/${repository}/blobs/${digest}`);
  if (existing.status === 200) return;
  const upload = await succeeded(send(target, 'POST', `/v2/${repository}/blobs/uploads/`));
  const location = new URL(upload.headers.get('location') ?? '', target.url);
  location.searchParams.set('digest', digest);
  await succeeded(send(target, 'PUT', location.href, { type: 'application/octet-stream', body: bytes }));
}

type Manifest = { mediaType: string; [field: string]: unknown };

async function putManifest(target: PushTarget, manifest: Manifest): Promise<string> {
  const [repository, reference] = splitName(target);
  const body = Buffer.from(JSON.stringify(manifest));
  await succeeded(send(target, 'PUT', `/v2/${repository}/manifests/${reference}`, { type: manifest.mediaType, body }));
  return digestOf(body);
}

async function send(
  { url, authorization }: PushTarget,
  method: string,
  path: string,
  content?: { type: string; body: Buffer },
): Promise<Response> {
  const type = content === undefined ? undefined : { 'Content-Type': content.type };
  const body = content === undefined ? undefined : new Uint8Array(content.body);
  return await fetch(new URL(path, url), { method, headers: { Authorization: authorization, ...type }, body });
}

async function succeeded(pending: Promise<Response>): Promise<Response> {
  const answer = await pending;
  if (!answer.ok) throw new Error(`the registry responded with ${answer.status}: ${await answer.text()}`);
  return answer;
}
