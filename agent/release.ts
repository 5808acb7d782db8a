/** Text of `/etc/kairos-release` and `/etc/os-release` → what is known of the system. The text is data; nothing in it is executed. */
import type { Release } from '../api/release.js';

/** Keys and values of a file in the manner of os-release. */
export type Fields = Readonly<Record<string, string>>;

/** What the host says of itself. `fields` are the `KAIROS_*` keys without their prefix. */
export interface Identity {
  from: 'kairos-release' | 'os-release';
  fields: Fields;
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** One key per line; comments and anything else are passed over; the last of two equal keys holds, as in a shell. */
export function parseFields(text: string): Fields {
  const fields: Record<string, string> = {};
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const [, key, value] = LINE.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields[key] = plain(value);
  }
  return fields;
}

/** Without the quotes around it; inside double quotes a backslash protects the few characters that mean something there. */
function plain(value: string): string {
  const text = value.trim();
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(text)?.[1];
  if (double !== undefined) return double.replace(/\\([$"\\`])/g, '$1');
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(text)?.[1];
  if (single !== undefined) return single;
  return text.replace(/\s+#.*$/, '').replace(/^["']|["']$/g, '');
}

/** Undefined: this host is not Kairos. */
export function identify(files: { kairosRelease?: string; osRelease?: string }): Identity | undefined {
  const kairos = kairosFields(parseFields(files.kairosRelease ?? ''));
  if (Object.keys(kairos).length > 0) return { from: 'kairos-release', fields: kairos };
  const os = parseFields(files.osRelease ?? '');
  if (!/kairos/i.test(os.ID ?? '')) return undefined;
  return { from: 'os-release', fields: kairosFields(os) };
}

const kairosFields = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      key.startsWith('KAIROS_') && key !== 'KAIROS_' ? [[key.slice('KAIROS_'.length), value]] : [],
    ),
  );

/** What only the running machine can tell. */
export interface Machine {
  /** CPU in Go words. */
  arch: string;
  /** Started from a Unified Kernel Image. */
  trustedBoot: boolean;
}

const ARCHES: Record<string, string> = { x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' };
/** Go's words for CPU architectures, whatever the words that came in. */
export const goArch = (arch: string): string => ARCHES[arch] ?? arch;

const isYes = (text: string | undefined) => /^(true|yes|1|on|enabled|fips)$/i.test(text ?? '');

/** The release as the NodeAgent reports it: no empty values, no guesses. */
export function releaseOf({ fields }: Identity, machine: Machine): Release {
  const text = (key: string) => (fields[key] === '' ? undefined : fields[key]);
  return withoutAbsent({
    version: text('VERSION'),
    softwareVersion: text('SOFTWARE_VERSION'),
    softwareVersionPrefix: text('SOFTWARE_VERSION_PREFIX'),
    id: text('ID'),
    name: text('NAME'),
    family: text('FAMILY'),
    flavor: text('FLAVOR'),
    flavorRelease: text('FLAVOR_RELEASE'),
    variant: text('VARIANT'),
    model: text('MODEL'),
    arch: goArch(text('ARCH') ?? machine.arch),
    trustedBoot: machine.trustedBoot || isYes(text('TRUSTED_BOOT')),
    fips: text('FIPS') === undefined ? undefined : isYes(text('FIPS')),
  });
}

const withoutAbsent = (release: Release): Release =>
  Object.fromEntries(Object.entries(release).filter(([, value]) => value !== undefined));
