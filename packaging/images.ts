/** `manifests/images.txt`: every image that a Pod of the operator, or one that it makes by itself, may run. */
import { type Document, isMap, isScalar, visit } from 'yaml';

/** As written: a mirror for a cluster without internet takes these, and those that operations name themselves. */
export function imagesFile(documents: readonly Document[]): string {
  return `${[...new Set(documents.flatMap(imagesIn))].sort().join('\n')}\n`;
}

/** Of containers, and of settings whose name says that they hold one. */
function imagesIn(document: Document): string[] {
  if (!['Deployment', 'DaemonSet'].includes(String(document.get('kind')))) return [];
  const images: string[] = [];
  visit(document, {
    Map(_, map) {
      const image = /_IMAGE$/.test(String(map.get('name'))) ? map.get('value') : map.get('image');
      if (isMap(image) || isScalar(image) || typeof image !== 'string' || image === '') return;
      images.push(image);
    },
  });
  return images;
}
