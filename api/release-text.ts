/** Text of `/etc/kairos-release` and `/etc/os-release` → what is known of the system. The text is data; nothing in it is executed. */
import type { Release } from './release.js';

/** Keys and values of a file in the manner of os-release. */
export type Fields = Readonly<Record<string, string>>;

const PREFIX = 'KAIROS_';
const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/;

/** One key per line; comments and anything else are passed over; the last of two equal keys holds, as in a shell. */
export function parseFields(text: string): Fields {
  const fields: Record<string, string> = {};
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const [, key, value] = LINE.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields[key] = withoutQuotes(value.trim());
  }
  return fields;
}

/** Inside double quotes a backslash protects the few characters that mean something there. */
function withoutQuotes(value: string): string {
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(value)?.[1];
  if (double !== undefined) return double.replace(/\\([$"\\`])/g, '$1');
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(value)?.[1];
  if (single !== undefined) return single;
  return value.replace(/\s+#.*$/, '').replace(/^["']|["']$/g, '');
}

/** The `KAIROS_*` keys without their prefix. */
export const kairosFields = (fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      key.startsWith(PREFIX) && key !== PREFIX ? [[key.slice(PREFIX.length), value]] : [],
    ),
  );

const GO_WORDS: Readonly<Record<string, string>> = { x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' };
/** Go's word for a CPU architecture, whatever the word that came in. */
export const goArch = (arch: string): string => GO_WORDS[arch] ?? arch;

/** What the keys (without their prefix) say: no empty values, no guesses. */
export function releaseFromFields(fields: Fields): Release {
  const text = (key: string) => (fields[key] === '' ? undefined : fields[key]);
  const yes = (key: string) => {
    const value = text(key);
    return value === undefined ? undefined : /^(true|yes|1|on|enabled|fips)$/i.test(value);
  };
  const arch = text('ARCH');
  const release: Release = {
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
    arch: arch === undefined ? undefined : goArch(arch),
    trustedBoot: yes('TRUSTED_BOOT'),
    fips: yes('FIPS'),
  };
  return Object.fromEntries(Object.entries(release).filter(([, value]) => value !== undefined));
}

/** Undefined where the text has no `KAIROS_*` key with a value: not Kairos, or not known. */
export function parseRelease(text: string): Release | undefined {
  const release = releaseFromFields(kairosFields(parseFields(text)));
  return Object.keys(release).length === 0 ? undefined : release;
}
