/**
 * The system UUID of a machine, which the kubelet reads from its firmware. It identifies the machine across reinstallations, but not every
 * machine has one of its own: vendors ship boards with the same value, containers as nodes share that of their host, and without firmware
 * tables the kubelet reports the machine ID instead, which an immutable system may create anew with every boot.
 */
import type { CachedNode } from './node.js';

/** In lower case without dashes: kernels differ in the case, and a machine ID has no dashes. */
const normalized = (uuid: string): string => uuid.toLowerCase().replaceAll('-', '');

/** Values that boards of several vendors have in common. The last ones are one value in both byte orders. */
const PLACEHOLDERS: ReadonlySet<string> = new Set([
  '',
  'notsettable',
  'notpresent',
  '12345678123456781234567812345678',
  '12345678123456789012123456789012',
  '12345678123456789abc123456789abc',
  '03000200040005000006000700080009',
  '00020003000400050006000700080009',
]);

/** All digits are the same, as of firmware that was never programmed. */
const isBlank = (uuid: string): boolean => /^(.)\1*$/.test(uuid);

/** Undefined when the Node has none, or a placeholder. */
function systemUUIDOf(node: CachedNode): string | undefined {
  const uuid = normalized(node.status?.nodeInfo?.systemUUID ?? '');
  return PLACEHOLDERS.has(uuid) || isBlank(uuid) ? undefined : uuid;
}

/** For an index of Nodes by the system UUIDs of their machines. */
export const systemUUIDs = (node: CachedNode): string[] => {
  const uuid = systemUUIDOf(node);
  return uuid === undefined ? [] : [uuid];
};

/** The kubelet had no other: another value does not mean another machine. */
const isMachineId = (uuid: string, node: CachedNode): boolean =>
  uuid === normalized(node.status?.nodeInfo?.machineID ?? '');

/**
 * What the system UUID of a Node says about its machine, compared with a recorded one. `isShared`: whether other Nodes have the same one.
 */
export function compareSystemUUID(
  recorded: string | undefined,
  node: CachedNode,
  isShared: boolean,
): 'same' | 'other' | 'unknown' {
  const before = normalized(recorded ?? '');
  const uuid = systemUUIDOf(node);
  if (before === '' || PLACEHOLDERS.has(before) || isBlank(before) || uuid === undefined) return 'unknown';
  if (uuid === before) return isShared ? 'unknown' : 'same';
  return isMachineId(uuid, node) ? 'unknown' : 'other';
}
