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
}

const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
};

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Returns the manifest's digest. */
export async function pushImage(place: Place, base: Image, { files = {} }: ImageChange): Promise<string> {
  const { layer, config } = await contentOf(base);
  const top = await layerOf(files);
  // the name, so that nodes have to fetch this very configuration, though they have all the rest under another name
  const own = { ...config, Env: [...(config.Env ?? []), `IMAGE_NAME=${place.name}`] };
  const image = {
    architecture: 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: own,
    rootfs: { type: 'layers', diff_ids: [layer, top].map(digestOf) },
  };
  const blobs = [
    { type: TYPES.config, bytes: Buffer.from(JSON.stringify(image)) },
    { type: TYPES.layer, bytes: layer },
    { type: TYPES.layer, bytes: top },
  ];
  for (const { bytes } of blobs) await putBlob(place, bytes);
  const [first, ...layers] = blobs.map(({ type: mediaType, bytes }) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  }));
  return await putManifest(place, { schemaVersion: 2, mediaType: TYPES.manifest, config: first, layers });
}

async function contentOf({ tar }: Image): Promise<{ layer: Buffer; config: ImageConfig }> {
  return await inFolder(async folder => {
    await mustRun('tar', ['-xf', tar, '-C', folder]);
    const { config } = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as { config: ImageConfig };
    return { layer: readFileSync(join(folder, 'layer.tar')), config };
  });
}

async function layerOf(files: Record<string, string>): Promise<Buffer> {
  return await inFolder(async folder => {
    const root = join(folder, 'root');
    mkdirSync(root);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
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

async function putBlob(place: Place, bytes: Buffer): Promise<void> {
  const [repository] = place.name.split(':');
  const digest = digestOf(bytes);
  const known = await ask(place, 'HEAD', `/v2/${repository}/blobs/${digest}`);
  if (known.status === 200) return;
  const begun = await must(ask(place, 'POST', `/v2/${repository}/blobs/uploads/`));
  const to = new URL(begun.headers.get('location') ?? '', place.url);
  to.searchParams.set('digest', digest);
  await must(ask(place, 'PUT', to.href, { type: 'application/octet-stream', body: bytes }));
}

async function putManifest(place: Place, manifest: object): Promise<string> {
  const [repository, tag] = place.name.split(':');
  const body = Buffer.from(JSON.stringify(manifest));
  await must(ask(place, 'PUT', `/v2/${repository}/manifests/${tag}`, { type: TYPES.manifest, body }));
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
