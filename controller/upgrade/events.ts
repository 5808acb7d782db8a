/** One function per event: data, nothing is sent here. */
import { apiVersion, NODE_OP_UPGRADE } from '../../api/kinds.js';
import type { NodeOpUpgrade } from '../../api/objects.js';
import type { Reason } from '../../api/reasons.js';
import type { Event } from '../../kube/recorder.js';
import type { Action } from './facts.js';

const on =
  (type: Event['type']) =>
  ({ metadata: { name, namespace, uid } }: NodeOpUpgrade, reason: Reason, message: string): Event => ({
    about: { apiVersion: apiVersion(NODE_OP_UPGRADE), kind: NODE_OP_UPGRADE.kind, name, namespace, uid },
    type,
    reason,
    message,
  });
const tell = on('Normal');
const warn = on('Warning');

export const probing = (upgrade: NodeOpUpgrade, image: string): Event =>
  tell(upgrade, 'Probing', `reading image "${image}" before any node is touched`);

export const imageRead = (upgrade: NodeOpUpgrade, version: string): Event =>
  tell(upgrade, 'Progressing', `the image holds ${version}`);

export const versionUnknown = (upgrade: NodeOpUpgrade): Event =>
  warn(
    upgrade,
    'Probing',
    'the image does not tell its Kairos version: no node is skipped, and none checked for it after its reboot',
  );

export const archLeftOut = (upgrade: NodeOpUpgrade, arch: string): Event =>
  warn(upgrade, 'Probing', `the image was not read for ${arch}: no node of this architecture is Ready`);

export const copyRead = (upgrade: NodeOpUpgrade, arch: string, why: string): Event =>
  warn(upgrade, 'Probing', `the copy that a node of ${arch} has was read; the registry may hold a newer image: ${why}`);

export const refusalReason = (what: Action['do']): Reason => (what === 'probe' ? 'PodRefused' : 'InvalidSpec');

export const refused = (upgrade: NodeOpUpgrade, what: Action['do'], why: string): Event =>
  warn(upgrade, refusalReason(what), why);

/** How an upgrade ended. */
export const failed = warn;
export const completed = (upgrade: NodeOpUpgrade, message: string): Event => tell(upgrade, 'AllDone', message);
