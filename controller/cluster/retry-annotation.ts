import { ANNOTATIONS } from '../../api/names.js';
import type { ObjectMeta } from '../../api/objects.js';

/** Value of the annotation that requests a retry. */
export const retryOf = ({ annotations }: ObjectMeta): string | undefined => annotations?.[ANNOTATIONS.retry];
