/** What the story of OSArtifacts is made of: volumes, keys, exporters that look into what was built. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Tells which step it is, and the version it was told; the real one turns the image into a Kairos system. */
export const KAIROS_INIT = `#!/bin/sh
echo "$*" >>/etc/kairos-init-was-told
while [ $# -gt 0 ]; do
  [ "$1" != --version ] || echo "KAIROS_VERSION=\\"$2\\"" >/etc/kairos-release
  shift
done
`;

export const claimed = (name: string) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    capacity: { storage: '10Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { namespace: 'default', name: `${name}-artifacts` },
    hostPath: { path: `/var/built/${name}`, type: 'DirectoryOrCreate' },
  },
});

export const secret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'default' },
  stringData,
});

/** Keys to sign with, made for this run. */
export function keys(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'keys-'));
  try {
    const [key, certificate] = [join(folder, 'db.key'), join(folder, 'db.pem')];
    const flags = ['-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=story', '-keyout', key, '-out', certificate];
    execFileSync('openssl', ['req', '-x509', ...flags], { stdio: 'ignore' });
    const text = readFileSync(key, 'utf8');
    return { 'db.key': text, 'db.pem': readFileSync(certificate, 'utf8'), 'tpm2-pcr-private.pem': text };
  } finally {
    rmSync(folder, { recursive: true });
  }
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

/** An exporter that looks into what was built, and tells. */
export const looking = (tools: string, script: string, volumes: object[] = [], mounts: object[] = []) => ({
  template: {
    spec: {
      containers: [
        {
          name: 'look',
          image: tools,
          command: ['/bin/bash', '-ec'],
          args: [script],
          volumeMounts: [{ name: 'artifacts', mountPath: '/artifacts', readOnly: true }, ...mounts],
        },
      ],
      volumes,
    },
  },
});

export const STEPS = [
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
  'edge-uki.efi',
  'edge.iso',
  'edge.squashfs',
  'edge-kernel',
  'edge-initrd',
  'edge.raw',
  'edge.vhd',
  'edge.gce.tar.gz',
];

export const INSPECT = `cd /artifacts
for file in *; do [ ! -f "$file" ] || echo "file $file $(sha256sum <"$file" | cut -d ' ' -f 1) $(stat -c %s "$file")"; done
work=$(mktemp -d)
xorriso -osirrox on -indev edge.iso -extract / "$work/iso" 2>"$work/log" || cat "$work/log"
echo "on the medium: $(cat "$work"/iso/cloud_config.yaml "$work"/iso/boot/grub2/grub.cfg "$work"/iso/hello.txt | tr '\\n' ' ')"
unsquashfs -d "$work/root" "$work/iso/rootfs.squashfs" >"$work/log"
echo "in its system: $(cat "$work"/root/etc/kairos-release "$work"/root/etc/mark "$work"/root/etc/here.txt | tr '\\n' ' ')"
echo "kairos-init was told: $(tr '\\n' '|' <"$work/root/etc/kairos-init-was-told")"
cmp edge-kernel "$work/iso/boot/kernel" && cmp edge.squashfs "$work/iso/rootfs.squashfs" && echo "over the network the same"
sgdisk -v edge.raw | grep -c 'No problems found'
first=$(sgdisk -i3 edge.raw | awk '/First sector/{print $3}')
dd if=edge.raw of="$work/part" bs=512 skip="$first" status=none
echo "on the disk: $(debugfs -R 'cat /oem/90_custom.yaml' "$work/part" 2>/dev/null | tr '\\n' ' ')"
echo "for Azure: $(tail -c 512 edge.vhd | head -c 8), for Google: $(tar -tzf edge.gce.tar.gz)"
sbverify --cert /keys/db.pem edge-uki.efi`;

export const AGAIN = `cd /artifacts
xorriso -osirrox on -indev medium.iso -extract /rootfs.squashfs /tmp/squash 2>/dev/null
unsquashfs -d /tmp/system /tmp/squash >/dev/null
echo "in its system: $(cat /tmp/system/etc/kairos-release /tmp/system/etc/of-the-bundle /tmp/system/etc/mark | tr '\\n' ' ')"
grep ^VERSION= /tmp/system/etc/os-release`;
