/** Reads labels and file names from an image archive. */
import { mustRun } from './run-command.js';

export interface ImageContents {
  labels: Record<string, string>;
  /** Paths in all layers, without a leading slash. */
  files: string[];
}

/** Reads an archive in the format of `docker save`. */
export async function imageContents(archive: string): Promise<ImageContents> {
  const read = (member: string) => mustRun('tar', ['--extract', '--to-stdout', '--file', archive, member]);
  const [image] = JSON.parse(await read('manifest.json')) as { Config: string; Layers: string[] }[];
  if (image === undefined) throw new Error(`${archive} contains no image`);
  const { config } = JSON.parse(await read(image.Config)) as { config: { Labels?: Record<string, string> } };
  const files: string[] = [];
  for (const layer of image.Layers) {
    const list = 'tar --extract --to-stdout --file "$0" "$1" | tar --list';
    const names = await mustRun('sh', ['-c', list, archive, layer]);
    files.push(...names.split('\n').filter(name => name !== '' && !name.endsWith('/')));
  }
  return { labels: config.Labels ?? {}, files: files.map(name => name.replace(/^\.?\//, '')) };
}
