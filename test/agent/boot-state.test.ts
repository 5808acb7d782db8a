import { describe, expect, test } from '@jest/globals';
import { bootState, efiText, isTrustedBoot } from '../../agent/boot-state.js';

const UKI = 'console=tty1 rd.immucore.uki net.ifnames=1 rd.immucore.oemlabel=COS_OEM selinux=0';

describe('the boot state from the kernel command line', () => {
  test.each([
    ['active', 'BOOT_IMAGE=(loop0)/boot/vmlinuz root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img panic=5'],
    ['passive', 'root=LABEL=COS_PASSIVE cos-img/filename=/cOS/passive.img'],
    ['recovery', 'root=LABEL=COS_SYSTEM cos-img/filename=/cOS/recovery.img rd.neednet=1'],
    ['recovery', 'root=LABEL=COS_RECOVERY cos-img/filename=/cOS/recovery.img kairos.remote_recovery_mode'],
    ['recovery', 'root=live:LABEL=COS_RECOVERY rd.live.dir=/ rd.live.squashimg=cOS/recovery.squashfs'],
    ['active', 'root=LABEL=COS_STATE cos-img/filename=/cOS/active.img'],
    ['livecd', 'cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ rd.live.squashimg=rootfs.squashfs install-mode'],
    ['livecd', 'root=live:http://10.0.0.1/kairos.squashfs rd.live.overlay.overlayfs netboot'],
    [
      'active',
      'console=tty1 console=ttyS0 root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img rd.neednet=0 vga=795',
    ],
    ['recovery', 'root=LABEL=COS_SYSTEM cos-img/filename=/cOS/recovery.img kairos.reset rd.cos.oemlabel=COS_OEM'],
    ['recovery', 'root=live:LABEL=COS_STATE rd.live.squashimg=recovery.squashfs recovery-mode'],
    ['livecd', 'root=live:CDLABEL=COS_LIVE rd.live.squashimg=rootfs.squashfs install-mode-interactive'],
    ['active', 'root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img recovery-mode'],
    ['active', 'root=LABEL=COS_ACTIVE cos-img/filename=/cOS/active.img rescue=LABEL=COS_RECOVERY'],
    ['active', 'root=LABEL=COS_ACTIVE cos-img/filename=/cOS/recovery.img'],
    ['passive', 'root=LABEL=COS_PASSIVE cos-img/filename=/cOS/passive.img fallback=LABEL=COS_SYSTEM'],
    ['passive', 'root=LABEL=COS_STATE cos-img/filename=/cOS/passive.img'],
    ['active', 'root=live:LABEL=COS_LIVE ro kairos.ram rd.live.ram=1'],
    ['active', 'netboot root=live:http://10.0.0.1/kairos.squashfs kairos.ram=yes'],
    ['active', 'root=LABEL=COS_RECOVERY kairos.ram.oem=64'],
    ['livecd', 'root=live:LABEL=COS_LIVE kairos.ramnottreally=1'],
    ['unknown', 'BOOT_IMAGE=/boot/vmlinuz root=UUID=0c1f ro quiet'],
    ['unknown', 'rd.cos.oemlabel=COS_OEM hostname=alive:1'],
    ['unknown', ''],
  ])('is %s for: %s', (state, cmdline) => expect(bootState({ cmdline })).toBe(state));
});

describe('the boot state with trusted boot', () => {
  test.each([
    ['active', 'active.efi'],
    ['active', 'active+2-1.conf'],
    ['passive', 'passive_install-mode.conf'],
    ['recovery', 'recovery.conf'],
    ['passive', 'passive+3.conf'],
    ['recovery', 'recovery.efi'],
    ['recovery', 'Recovery_debug.conf'],
    ['recovery', 'statereset.conf'],
    ['livecd', 'norole.conf'],
    ['unknown', 'other.conf'],
  ])('is %s for: %s', (state, loaderEntry) => expect(bootState({ cmdline: UKI, loaderEntry })).toBe(state));
  test('is active for a system that was copied to memory, whatever the loader entry', () =>
    expect(bootState({ cmdline: `${UKI} kairos.ram`, loaderEntry: 'norole.conf' })).toBe('active'));
  test('is livecd when the image was not started from a partition, as from the network', () => {
    expect(bootState({ cmdline: UKI, fromPartition: false })).toBe('livecd');
    expect(bootState({ cmdline: UKI, fromPartition: true })).toBe('unknown');
    expect(bootState({ cmdline: `${UKI} kairos.ram`, fromPartition: false })).toBe('active');
    expect(bootState({ cmdline: 'root=UUID=0c1f', fromPartition: false })).toBe('unknown');
    expect(bootState({ cmdline: UKI, loaderEntry: 'active.conf', fromPartition: false })).toBe('active');
  });
  test('is unknown without a loader entry', () => expect(bootState({ cmdline: UKI })).toBe('unknown'));
  test('is livecd for the installer, without a loader entry', () =>
    expect(bootState({ cmdline: `${UKI} install-mode` })).toBe('livecd'));
  test('ignores a loader entry left in the firmware when trusted boot is off', () => {
    expect(bootState({ cmdline: 'root=LABEL=COS_ACTIVE', loaderEntry: 'passive.conf' })).toBe('active');
  });
  test('requires rd.immucore.uki as a whole parameter', () => {
    expect(isTrustedBoot(UKI)).toBe(true);
    expect(isTrustedBoot('rd.immucore.uki=1')).toBe(true);
    expect(isTrustedBoot('rd.immucore.ukiless')).toBe(false);
  });
});

test('efiText decodes four bytes of attributes and then NUL-terminated UTF-16', () => {
  const bytes = Buffer.concat([Buffer.from([7, 0, 0, 0]), Buffer.from('active.conf\0', 'utf16le')]);
  expect(efiText(bytes)).toBe('active.conf');
  expect(efiText(Buffer.alloc(0))).toBe('');
});
