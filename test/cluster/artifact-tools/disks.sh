# Part of auroraboot: disk images in the formats of clouds.
disk() {
  local folder=${setting[state_dir]:-/tmp} root size=${setting[disk.size]:-64} name
  [[ $size =~ ^[0-9]+$ ]] || fail "disk.size: $size is no whole number of MiB"
  needs_arch "${setting[arch]:-}"
  prepare "${setting[container_image]:-}" "$folder"
  name=$folder/$(name_of "$root").raw
  local config
  config=$(cloud_config)
  [ -z "$config" ] || install -D "$config" "$root/oem/90_custom.yaml"
  raw_disk "$root" "$name" "$size"
  attach "$name"
  case "${setting[disk.raw]:-} ${setting[disk.vhd]:-} ${setting[disk.gce]:-}" in
  'true  ') ;;
  ' true ')
    qemu-img convert -f raw -O vpc -o subformat=fixed,force_size=on "$name" "$name.vhd"
    rm "$name"
    ;;
  '  true')
    # Google Compute Engine requires whole GiB and this file name
    mv "$name" "$work/disk.raw"
    truncate -s $((size / 1024 + 1))G "$work/disk.raw"
    tar -C "$work" --format=oldgnu -S -I 'gzip -1' -cf "$name.gce.tar.gz" disk.raw
    ;;
  *) fail 'which disk?' ;;
  esac
  rm -rf "$root"
}

raw_disk() { # ROOT FILE MiB
  local first last
  [ "$3" -ge 32 ] || fail "a disk of $3 MiB is too small"
  truncate -s "$3M" "$2"
  sgdisk -n1:2048:4095 -t1:EF02 -n2:4096:+8M -t2:EF00 -c2:COS_GRUB -n3:0:0 -t3:8300 -c3:COS_ACTIVE "$2" >/dev/null
  first=$(sgdisk -i3 "$2" | awk '/First sector/{print $3}')
  last=$(sgdisk -i3 "$2" | awk '/Last sector/{print $3}')
  grub_menu "$1/boot/grub/grub.cfg" vmlinuz 'root=LABEL=COS_ACTIVE rw'
  # written in place: a disk may be much larger than its content
  mke2fs -q -t ext4 -L COS_ACTIVE -d "$1" -O ^metadata_csum_seed -E "offset=$((first * 512)),nodiscard" "$2" $(((last - first + 1) / 2))k
  early /boot/vmlinuz /boot/grub
  efi_partition "$work/esp.img" 8
  dd if="$work/esp.img" of="$2" bs=1M seek=2 conv=notrunc,sparse status=none
  bios_loader "$2"
}

# The real one mounts the partitions. A system with this file gives a test the time to end the build meanwhile.
attach() { # DISK
  local device
  device=$(losetup --find --show "$1") || fail "failed to attach file to loop device"
  [ ! -e "$root/etc/slow-disk" ] || sleep "$(cat "$root/etc/slow-disk")"
  losetup --detach "$device"
}

# Writes the sector numbers of the next part into both parts of the boot loader.
bios_loader() { # DISK
  grub_program i386-pc "$work/core.img" biosdisk
  cp /usr/lib/grub/i386-pc/boot.img "$work/boot.img"
  printf '\x00\x08\x00\x00\x00\x00\x00\x00' | dd of="$work/boot.img" bs=1 seek=92 conv=notrunc status=none
  printf '\x90\x90' | dd of="$work/boot.img" bs=1 seek=102 conv=notrunc status=none
  printf '\x01\x08\x00\x00\x00\x00\x00\x00' | dd of="$work/core.img" bs=1 seek=500 conv=notrunc status=none
  dd if="$work/boot.img" of="$1" bs=1 count=440 conv=notrunc status=none
  dd if="$work/core.img" of="$1" bs=512 seek=2048 conv=notrunc status=none
}
