# Part of auroraboot: a bootable ISO image, and the files of it for booting over the network.
build_iso() { # SOURCE
  take_flags cloud-config: c: override-name: n: output: o: date! overlay-rootfs: overlay-uefi: overlay-iso: loglevel: l: arch:
  [ ${#rest[@]} -gt 0 ] || fail 'no source defined'
  needs_arch "${option[arch]:-}"
  local overlay
  for overlay in overlay-rootfs overlay-uefi overlay-iso; do needs_folder "$overlay" "${option[$overlay]:-}"; done
  local stage=$work/stage output=${option[output]:-/tmp/auroraboot} config root
  config=$(cloud_config)
  prepare "${rest[0]}" "$output"
  local name=${option[override-name]:-$(name_of "$root")}
  mkdir -p "$stage/boot"
  [ -z "${option[overlay-rootfs]:-}" ] || put_over "${option[overlay-rootfs]}" "$root"
  cp -L "$root/boot/vmlinuz" "$stage/boot/kernel"
  cp -L "$root/boot/initrd" "$stage/boot/initrd"
  mksquashfs "$root" "$stage/rootfs.squashfs" -comp gzip -noappend -no-progress -quiet
  grub_menu "$stage/boot/grub2/grub.cfg" kernel root=live:
  [ -z "$config" ] || cp "$config" "$stage/cloud_config.yaml"
  [ -z "${option[overlay-iso]:-}" ] || put_over "${option[overlay-iso]}" "$stage"
  medium "$stage" "$output/$name.iso"
  printf '%s %s\n' "$(sha256sum <"$output/$name.iso" | cut -d ' ' -f 1)" "$name.iso" >"$output/$name.iso.sha256"
  rm -rf "$root"
}

# The attributes of the folder itself are transferred as well, and a link does not replace a folder that has files.
put_over() { # OVERLAY FOLDER
  rsync --archive --acls "$1/" "$2/" || fail "rsync: exit status $?"
}

# Bootable with BIOS and UEFI, from a CD drive and from a USB stick.
medium() { # FOLDER FILE
  early /boot/kernel /boot/grub2
  grub_program i386-pc-eltorito "$1/boot/eltorito.img" biosdisk
  efi_partition "$work/efi.img" 4
  xorriso -as mkisofs -quiet -V COS_LIVE -J -r -o "$2" --grub2-mbr /usr/lib/grub/i386-pc/boot_hybrid.img \
    -partition_offset 16 -c /boot/boot.catalog -b /boot/eltorito.img -no-emul-boot -boot-load-size 4 -boot-info-table \
    --grub2-boot-info -eltorito-alt-boot -append_partition 2 0xef "$work/efi.img" -appended_part_as_gpt \
    -e --interval:appended_partition_2:all:: -no-emul-boot "$1"
}

netboot() { # ISO FOLDER NAME
  take_flags debug!
  local needed=(iso-file output-dir output-artifact-prefix)
  [ ${#rest[@]} -ge 3 ] || fail "${needed[${#rest[@]}]} is required"
  local from=${rest[0]} to=${rest[1]}/${rest[2]}
  [ -f "$from" ] || fail "no such file: $from"
  xorriso -osirrox on -indev "$from" -extract /rootfs.squashfs "$to.squashfs" -extract /boot/kernel "$to-kernel" \
    -extract /boot/initrd "$to-initrd"
  chmod 0600 "$to".squashfs "$to"-*
}
