/** What an archive of an image says and holds. */
import { mustRun } from './run-command.js';

export interface ImageContents {
  labels: Record<string, string>;
  /** Paths of all layers, without a slash in front. */
  files: string[];
}

/** Of an archive as `docker save` writes them. */
export async function imageContents(archive: string): Promise<ImageContents> {
  const read = (member: string) => mustRun('tar', ['--extract', '--to-stdout', '--file', archive, member]);
  const [image] = JSON.parse(await read('manifest.json')) as { Config: string; Layers: string[] }[];
  if (image === undefined) throw new Error(`there is no image in ${archive}`);
  const { config } = JSON.parse(await read(image.Config)) as { config: { Labels?: Record<string, string> } };
  const files: string[] = [];
  for (const layer of image.Layers) {
    const list = 'tar --extract --to-stdout --file "$0" "$1" | tar --list';
    const names = await mustRun('sh', ['-c', list, archive, layer]);
    files.push(...names.split('\n').filter(name => name !== '' && !name.endsWith('/')));
  }
  return { labels: config.Labels ?? {}, files: files.map(name => name.replace(/^\.?\//, '')) };
}
