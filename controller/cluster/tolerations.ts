/** Whether a pod tolerates a taint, as Kubernetes decides. Pure. */
import type { Taint } from './node.js';

export interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

export const isTolerated = (taint: Taint, tolerations: readonly Toleration[]): boolean =>
  tolerations.some(toleration => tolerates(toleration, taint));

/** Without an effect, every effect is meant; without a key, every key. */
function tolerates({ key = '', operator = 'Equal', value = '', effect = '' }: Toleration, taint: Taint): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  return key !== '' && (operator === 'Equal' || operator === '') && value === (taint.value ?? '');
}
