/** Fixtures for tests of OSArtifacts: keys, exporters that inspect the built files, and the expected steps and files. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What both generations of kairos-init have in common: unknown flags and values are refused, and the version must be a semantic one. */
const initProgram = (providerFlags: string) => `#!/bin/sh
echo "$*" >>/etc/kairos-init-was-told
fail() { echo "Error: $*" >&2; exit 1; }
one_of() { case " $1 " in *" $2 "*) ;; *) fail "$2 is not included in $1" ;; esac; }
version= provider= provider_version=
while [ $# -gt 0 ]; do
  case $1 in
  --fips) shift; continue ;;
  -l | -s | -m | -t | --version | ${providerFlags}) [ $# -gt 1 ] || fail "flag needs an argument: $1" ;;
  --*) fail "unknown flag: $1" ;;
  -*) fail "unknown shorthand flag: $1" ;;
  *) fail "unknown command: $1" ;;
  esac
  case $1 in
  -l) one_of 'debug info warn error trace' "$2" ;;
  -s) one_of 'init install all' "$2" ;;
  -m) one_of 'generic rpi3 rpi4 rpi5' "$2" ;;
  --version) version=$2 ;;
  -p | -k) provider=$2 ;;
  --k8sversion) provider_version=$2 ;;
  --provider-*-version) [ "$1" = "--provider-$provider-version" ] || fail "unknown flag: $1"; provider_version=$2 ;;
  esac
  shift 2
done
[ -n "$version" ] || fail 'required flag(s) "version" not set'
case $version in v[0-9]* | [0-9]*) ;; *) fail "error parsing version: malformed version: $version" ;; esac
printf 'KAIROS_VERSION="%s"\\nKAIROS_RELEASE="%s"\\nKAIROS_FLAVOR="small"\\n' "$version" "$version" >/etc/kairos-release
[ -z "$provider" ] || printf 'KAIROS_SOFTWARE_VERSION_PREFIX="%s"\\nKAIROS_SOFTWARE_VERSION="%s"\\n' "$provider" "$provider_version" >>/etc/kairos-release
`;

/** Stands in for kairos-init since v0.6.0: records its arguments, and writes the release file. */
export const KAIROS_INIT = initProgram('-p | --provider-*-version');

/** Stands in for kairos-init before v0.6.0. */
export const OLD_KAIROS_INIT = initProgram('-k | --k8sversion');

/** The release file of a Kairos image; before v3.2 these lines were part of os-release. */
export const READY_RELEASE = 'KAIROS_VERSION="v1.0.0"\nKAIROS_RELEASE="v1.0.0"\nKAIROS_FLAVOR="small"\n';

/** Stands in for zypper: records the packages. */
export const ZYPPER = `#!/bin/sh
shift 2
echo "packages: $*" >>/etc/mark
`;

export const secret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  stringData,
});

/** The content of a key volume: keys to sign with, to measure with and to enroll. */
const keyRing = (key: string, certificate: string): Record<string, string> => ({
  'db.key': key,
  'db.pem': certificate,
  'tpm2-pcr-private.pem': key,
  ...Object.fromEntries(['PK.auth', 'KEK.auth', 'db.auth'].map(name => [name, `${name} to be enrolled`])),
});

/** New keys that no firmware trusts. */
export function newKeys(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  try {
    const [key, certificate] = [join(folder, 'db.key'), join(folder, 'db.pem')];
    const flags = ['-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=test', '-keyout', key, '-out', certificate];
    execFileSync('openssl', ['req', '-x509', ...flags], { stdio: 'ignore' });
    return keyRing(readFileSync(key, 'utf8'), readFileSync(certificate, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Keys that the test firmware trusts. Their password is public. */
export function knownKeys(firmware: string): Record<string, string> {
  const pair = join(firmware, 'ovmf/PkKek-1-snakeoil');
  const key = execFileSync('openssl', ['rsa', '-passin', 'pass:snakeoil', '-in', `${pair}.key`], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return keyRing(key, readFileSync(`${pair}.pem`, 'utf8'));
}

export const artifact = (name: string, spec: object) => ({
  apiVersion: 'build.kairos.io/v1alpha2',
  kind: 'OSArtifact',
  metadata: { name, namespace: 'default' },
  spec,
});

export interface Status {
  phase: string;
  message: string;
  pod: string;
  steps: { name: string; state: string }[];
  outputs: { name: string; size: number; sha256: string }[];
}

/** As the published images of exporters do. */
export const NOT_ROOT = { runAsUser: 65532, runAsGroup: 65532, allowPrivilegeEscalation: false };

/** An exporter that inspects the built files and writes the results to its log. */
export const inspectionJob = (tools: string, script: string, volumes: object[] = [], mounts: object[] = []) => ({
  template: {
    spec: {
      containers: [
        {
          name: 'inspect',
          image: tools,
          command: ['/bin/bash', '-ec'],
          args: [script],
          securityContext: NOT_ROOT,
          volumeMounts: [{ name: 'artifacts', mountPath: '/artifacts', readOnly: true }, ...mounts],
        },
      ],
      volumes,
    },
  },
});

export const STEPS = [
  'clear-artifacts',
  'bring',
  'buildah-build',
  'image-extractor',
  'build-uki-iso',
  'build-uki-container',
  'build-uki-uki',
  'build-iso',
  'build-netboot',
  'build-cloud-image',
  'build-azure-cloud-image',
  'build-gce-cloud-image',
  'list-artifacts',
];

export const FILES = [
  'edge.tar',
  'edge-uki.iso',
  'edge-uki.tar',
  'EFI/BOOT/BOOTX64.EFI',
  'EFI/kairos/norole.efi',
  'edge.iso',
  'edge.iso.sha256',
  'edge.squashfs',
  'edge-kernel',
  'edge-initrd',
  'edge.ipxe',
  'edge.raw',
  'edge.vhd',
  'edge.gce.tar.gz',
];

/** A boot menu of the user, which replaces the whole menu. */
export const MENU = `serial --unit=0 --speed=115200
terminal_output serial
set timeout=0
linux /boot/kernel root=live: console=ttyS0,115200 panic=5 menu=of-the-user
initrd /boot/initrd
boot
`;

export const INSPECT = `cd /artifacts
echo "beside them: $(ls -A | tr '\\n' ' ')"
find . -type f | sed 's|^[.]/||' | while read -r file; do echo "file $file $(sha256sum <"$file" | cut -d ' ' -f 1) $(stat -c %s "$file")"; done
work=$(mktemp -d)
xorriso -osirrox on -indev edge.iso -extract / "$work/iso" 2>"$work/log" || cat "$work/log"
echo "on the medium: $(cat "$work"/iso/cloud_config.yaml "$work"/iso/hello.txt | tr '\\n' ' ')"
unsquashfs -d "$work/root" "$work/iso/rootfs.squashfs" >"$work/log"
echo "in its system: $(cat "$work"/root/etc/kairos-release "$work"/root/etc/mark "$work"/root/etc/here.txt | tr '\\n' ' ')"
echo "kairos-init called with: $(tr '\\n' '|' <"$work/root/etc/kairos-init-was-told")"
cmp edge-kernel "$work/iso/boot/kernel" && cmp edge.squashfs "$work/iso/rootfs.squashfs" && echo "over the network the same"
sgdisk -v edge.raw | grep -c 'No problems found'
first=$(sgdisk -i3 edge.raw | awk '/First sector/{print $3}')
dd if=edge.raw of="$work/part" bs=512 skip="$first" status=none
echo "on the disk: $(debugfs -R 'cat /oem/90_custom.yaml' "$work/part" 2>/dev/null | tr '\\n' ' ')"
echo "for Azure: $(qemu-img info -f vpc --output=json edge.vhd | grep -o '"virtual-size": [0-9]*'), $(tail -c 512 edge.vhd | head -c 8)"
echo "for Google: $(tar -tzvf edge.gce.tar.gz | awk '{print $3, $6}')"
for program in EFI/kairos/norole.efi EFI/BOOT/BOOTX64.EFI; do echo "$program: $(sbverify --cert /keys/db.pem $program 2>/dev/null)"; done
echo "to enroll: $(ls loader/keys/auto | tr '\\n' ' ')"
xorriso -osirrox on -indev edge-uki.iso -extract / "$work/uki" 2>"$work/log" || cat "$work/log"
echo "on the signed medium: $(cat "$work"/uki/cloud_config.yaml "$work"/uki/hello.txt | tr '\\n' ' ')"
tar -xf edge-uki.tar -C "$work"
echo "in the container: $(tar -tf "$work/layer.tar" | grep -c 'norole.efi')"`;

export const AGAIN = `cd /artifacts
xorriso -osirrox on -indev medium.iso -extract /rootfs.squashfs /tmp/squash 2>/dev/null
unsquashfs -d /tmp/system /tmp/squash >/dev/null
echo "in its system: $(cat /tmp/system/etc/kairos-release /tmp/system/etc/of-the-bundle /tmp/system/etc/mark | tr '\\n' ' ')"
cat /tmp/system/etc/os-release`;
