/** Generates `manifests/images.txt`: every image that the operator's own Pods and the Pods it creates run by default. */
import { type Document, isMap, isScalar, visit } from 'yaml';

/** A cluster without internet access needs these images in its mirror, in addition to those that operations name in their specs. */
export function imagesFile(documents: readonly Document[]): string {
  return `${[...new Set(documents.flatMap(imagesIn))].sort().join('\n')}\n`;
}

/** Images of containers, and values of environment variables whose name ends with _IMAGE. */
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
