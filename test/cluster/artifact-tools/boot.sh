# Part of auroraboot: boot loaders for media and disks.
MODULES='part_gpt part_msdos fat iso9660 ext2 linux normal configfile search search_label search_fs_file ls echo test true all_video gzio serial terminal'

# early FILE FOLDER: finds the volume with that file, and continues with the menu in that folder.
early() { printf 'search --no-floppy --file --set=root %s\nset prefix=($root)%s\nconfigfile $prefix/grub.cfg\n' "$1" "$2" >"$work/early.cfg"; }

grub_program() { # FORMAT FILE [MODULE]
  local folder=${1%-eltorito}
  # shellcheck disable=SC2086
  grub-mkimage -O "$1" -o "$2" -p /boot/grub -c "$work/early.cfg" -d "/usr/lib/grub/$folder" $MODULES ${3:-}
}

efi_partition() { # FILE MiB
  truncate -s "$2M" "$1"
  mkfs.vfat "$1" >/dev/null
  grub_program x86_64-efi "$work/BOOTX64.EFI"
  mmd -i "$1" ::EFI ::EFI/BOOT
  mcopy -i "$1" "$work/BOOTX64.EFI" ::EFI/BOOT/
}

grub_menu() { # FILE KERNEL COMMAND-LINE
  mkdir -p "${1%/*}"
  cat >"$1" <<MENU
serial --unit=0 --speed=115200
terminal_output serial
set timeout=0
linux /boot/$2 $3 console=ttyS0,115200 panic=5
initrd /boot/initrd
boot
MENU
}
