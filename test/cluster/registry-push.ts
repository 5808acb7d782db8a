/** Uploads an image to a registry by its own protocol: an image of the harness, with a few files and a name of its own on top. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ImageConfig } from './archive.js';
import type { Image } from './images.js';
import { mustRun } from './run-command.js';

export interface Place {
  /** Of the registry. */
  url: string;
  authorization: string;
  /** Repository and tag. */
  name: string;
}

export interface ImageChange {
  /** Path in the image to text. */
  files?: Record<string, string>;
  /** The same, for what can be executed. */
  programs?: Record<string, Uint8Array>;
  /** These files and nothing of the other image. */
  bare?: boolean;
  /** More variables; nodes have to fetch this very configuration, though they may have all the rest. */
  environment?: Record<string, string>;
  /** In an index, which has the image for that CPU only. */
  onlyFor?: string;
}

const TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Returns the digest of what the tag then names. */
export async function pushImage(place: Place, base: Image, change: ImageChange): Promise<string> {
  const { layer, config } = await contentOf(base);
  const top = await layerOf(change);
  const tars = change.bare === true ? [top] : [layer, top];
  const environment = Object.entries(change.environment ?? {}).map(([key, value]) => `${key}=${value}`);
  const own = { ...config, Env: [...(config.Env ?? []), ...environment] };
  const image = {
    architecture: change.onlyFor ?? 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: own,
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  };
  const blobs = [
    { type: TYPES.config, bytes: Buffer.from(JSON.stringify(image)) },
    ...tars.map(bytes => ({ type: TYPES.layer, bytes })),
  ];
  for (const { bytes } of blobs) await putBlob(place, bytes);
  const [first, ...layers] = blobs.map(({ type, bytes }) => descriptorOf(type, bytes));
  const manifest = { schemaVersion: 2, mediaType: TYPES.manifest, config: first, layers };
  if (change.onlyFor === undefined) return await putManifest(place, manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  await putManifest({ ...place, name: `${repositoryOf(place)}:${digestOf(bytes)}` }, manifest);
  const entry = { ...descriptorOf(TYPES.manifest, bytes), platform: { os: 'linux', architecture: change.onlyFor } };
  return await putManifest(place, { schemaVersion: 2, mediaType: TYPES.index, manifests: [entry] });
}

const descriptorOf = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});

async function contentOf({ tar }: Image): Promise<{ layer: Buffer; config: ImageConfig }> {
  return await inFolder(async folder => {
    await mustRun('tar', ['-xf', tar, '-C', folder]);
    const { config } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { config: ImageConfig };
    return { layer: readFileSync(join(folder, 'layer.tar')), config };
  });
}

async function layerOf({ files = {}, programs = {} }: ImageChange): Promise<Buffer> {
  return await inFolder(async folder => {
    const root = join(folder, 'root');
    mkdirSync(root);
    const put = (path: string, text: string | Uint8Array, mode: number) => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text, { mode });
    };
    for (const [path, text] of Object.entries(files)) put(path, text, 0o644);
    for (const [path, text] of Object.entries(programs)) put(path, text, 0o755);
    const same = ['--numeric-owner', '--owner=0', '--group=0', '--sort=name', '--mtime=@0', '--mode=u=rwX,go=rX'];
    await mustRun('tar', ['-C', root, ...same, '-cf', join(folder, 'layer'), '.']);
    return readFileSync(join(folder, 'layer'));
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'registry-push-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Repository and reference: a tag, or a digest, which has a colon of its own. */
const split = ({ name }: Place): [repository: string, reference: string] => {
  const at = name.indexOf(':');
  return [name.slice(0, at), name.slice(at + 1)];
};
const repositoryOf = (place: Place) => split(place)[0];

async function putBlob(place: Place, bytes: Buffer): Promise<void> {
  const repository = repositoryOf(place);
  const digest = digestOf(bytes);
  const known = await ask(place, 'HEAD', `/v2/${repository}/blobs/${digest}`);
  if (known.status === 200) return;
  const begun = await must(ask(place, 'POST', `/v2/${repository}/blobs/uploads/`));
  const to = new URL(begun.headers.get('location') ?? '', place.url);
  to.searchParams.set('digest', digest);
  await must(ask(place, 'PUT', to.href, { type: 'application/octet-stream', body: bytes }));
}

type Manifest = { mediaType: string; [field: string]: unknown };

async function putManifest(place: Place, manifest: Manifest): Promise<string> {
  const [repository, reference] = split(place);
  const body = Buffer.from(JSON.stringify(manifest));
  await must(ask(place, 'PUT', `/v2/${repository}/manifests/${reference}`, { type: manifest.mediaType, body }));
  return digestOf(body);
}

async function ask(
  { url, authorization }: Place,
  method: string,
  path: string,
  content?: { type: string; body: Buffer },
): Promise<Response> {
  const type = content === undefined ? undefined : { 'Content-Type': content.type };
  const body = content === undefined ? undefined : new Uint8Array(content.body);
  return await fetch(new URL(path, url), { method, headers: { Authorization: authorization, ...type }, body });
}

async function must(pending: Promise<Response>): Promise<Response> {
  const answer = await pending;
  if (!answer.ok) throw new Error(`the registry answered ${answer.status}: ${await answer.text()}`);
  return answer;
}
