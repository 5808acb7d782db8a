/** Whether the volume with the built files can be used by one Pod at a time. */
import { isForbidden, isNotFound } from '../../kube/errors.js';
import type { Kube, Name, Stored } from '../../kube/kube.js';
import { VOLUME_CLAIMS } from '../../kube/resources.js';

interface Claim extends Stored {
  spec?: { accessModes?: readonly string[] };
}

/** An existing claim may differ from the one in the spec, so it is read. */
export async function isExclusiveClaim(at: Name, kube: Pick<Kube, 'get'>): Promise<boolean> {
  try {
    const { spec } = await kube.get<Claim>(VOLUME_CLAIMS, at);
    return spec?.accessModes?.includes('ReadWriteOncePod') === true;
  } catch (error) {
    if (isNotFound(error) || isForbidden(error)) return false;
    throw error;
  }
}
