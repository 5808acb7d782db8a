/** Is this host Kairos, and which? From the text of `/etc/kairos-release` and `/etc/os-release`. */
import type { Release } from '../api/release.js';
import { type Fields, goArch, kairosFields, parseFields, releaseOf as releaseOfFields } from '../api/release-text.js';

/** What the host says of itself. `fields` are the `KAIROS_*` keys without their prefix. */
export interface Identity {
  from: 'kairos-release' | 'os-release';
  fields: Fields;
}

/** A longer value is a damaged file; on the Node, one such would make every label be refused. */
const LONGEST_VALUE = 4096;

const fieldsOf = (text: string): Fields =>
  Object.fromEntries(Object.entries(parseFields(text)).filter(([, value]) => value.length <= LONGEST_VALUE));

/** Undefined: this host is not Kairos. */
export function identify(files: { kairosRelease?: string; osRelease?: string }): Identity | undefined {
  const kairos = kairosFields(fieldsOf(files.kairosRelease ?? ''));
  if (Object.keys(kairos).length > 0) return { from: 'kairos-release', fields: kairos };
  const os = fieldsOf(files.osRelease ?? '');
  if (!/kairos/i.test(os.ID ?? '')) return undefined;
  return { from: 'os-release', fields: kairosFields(os) };
}

/** What only the running machine can tell. */
export interface Machine {
  /** CPU in Go words. */
  arch: string;
  /** Started from a Unified Kernel Image. */
  trustedBoot: boolean;
}

/** The release as the NodeAgent reports it: the machine fills in what the files leave open. */
export function releaseOf({ fields }: Identity, machine: Machine): Release {
  const written = releaseOfFields(fields);
  return {
    ...written,
    arch: written.arch ?? goArch(machine.arch),
    trustedBoot: machine.trustedBoot || written.trustedBoot === true,
  };
}
