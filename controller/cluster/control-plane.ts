import { CONTROL_PLANE_LABELS } from '../../api/names.js';
import type { Meta } from '../../kube/kube.js';

export const isControlPlane = ({ metadata }: { metadata: Meta }): boolean =>
  CONTROL_PLANE_LABELS.some(label => metadata.labels?.[label] !== undefined);
