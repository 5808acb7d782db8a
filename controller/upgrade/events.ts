/** One function per Event. They return data; the recorder sends it. */
import { apiVersion, NODE_OP_UPGRADE } from '../../api/kinds.js';
import type { NodeOpUpgrade } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import type { Event } from '../../kube/event-recorder.js';
import type { Action } from './facts.js';

const eventOfType =
  (type: Event['type']) =>
  ({ metadata: { name, namespace, uid } }: NodeOpUpgrade, reason: Reason, message: string): Event => ({
    about: { apiVersion: apiVersion(NODE_OP_UPGRADE), kind: NODE_OP_UPGRADE.kind, name, namespace, uid },
    type,
    reason,
    message,
  });
const normal = eventOfType('Normal');
const warning = eventOfType('Warning');

export const probing = (upgrade: NodeOpUpgrade, image: string): Event =>
  normal(upgrade, 'Probing', `reading image "${image}" before any node is touched`);

export const imageRead = (upgrade: NodeOpUpgrade, version: string): Event =>
  normal(upgrade, 'Progressing', `the image contains ${version}`);

export const versionUnknown = (upgrade: NodeOpUpgrade): Event =>
  warning(
    upgrade,
    'Probing',
    'the image does not state its Kairos version: no node is skipped, and none is checked for it after its reboot',
  );

export const architectureSkipped = (upgrade: NodeOpUpgrade, arch: string): Event =>
  warning(upgrade, 'Probing', `the image was not read for ${arch}: no node of this architecture is Ready`);

export const cachedCopyRead = (upgrade: NodeOpUpgrade, arch: string, pullError: string): Event =>
  warning(
    upgrade,
    'Probing',
    `read the cached copy of a ${arch} node; the registry may have a newer image: ${pullError}`,
  );

export const refusalReason = (what: Action['do']): Reason => (what === 'createProbe' ? 'PodRefused' : 'InvalidSpec');

export const refused = (upgrade: NodeOpUpgrade, what: Action['do'], message: string): Event => ({
  ...warning(upgrade, refusalReason(what), message),
  topic: what,
});

export const failed = warning;
export const completed = (upgrade: NodeOpUpgrade, message: string): Event => normal(upgrade, 'AllDone', message);
