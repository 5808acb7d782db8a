# Part of auroraboot: kernel, system and command line as one signed EFI program, in three output formats.
AUTHORITIES='PK.auth KEK.auth db.auth'

build_uki() { # SOURCE
  take_flags name: n: output-dir: d: output-type: t: overlay-rootfs: o: overlay-iso: i: boot-branding: include-version-in-config! \
    include-cmdline-in-config! extra-cmdline: c: extend-cmdline: x: single-efi-cmdline: s: public-keys: tpm-pcr-private-key: sb-key: sb-cert: \
    efi-size-warn: secure-boot-enroll: splash: cmd-lines-v2! sdboot-in-source!
  local kind=${option[output-type]:-uki} output=${option[output-dir]:-.} given root release name
  check_uki "$kind"
  given=${rest[0]#dir:}
  [ "$given" != "${rest[0]}" ] && [ -d "$given" ] || fail "not a valid rootfs source image argument: ${rest[0]}"
  root=$work/root
  cp -a "$given" "$root"
  [ -z "${option[overlay-rootfs]:-}" ] || put_over "${option[overlay-rootfs]}" "$root"
  release=$(release_file "$root")
  grep -q '^KAIROS_RELEASE="' "$release" || fail 'unexpected number of matches for KAIROS_RELEASE in os-release: 0'
  name=$(name_of "$root")-uki
  [ -d "$output" ] || fail "no such folder: $output"
  case $kind in
  uki) efi_tree "$root" "$output" ;;
  container)
    efi_tree "$root" "$work/tree"
    tar -C "$work/tree" -cf "$work/tree.tar" .
    luet util pack --arch amd64 --os linux "${option[name]:-kairos}" "$work/tree.tar" "$output/$name.tar"
    ;;
  iso)
    efi_tree "$root" "$work/tree"
    uki_medium "$work/tree" "$output/${option[name]:-$name}.iso"
    ;;
  esac
}

check_uki() { # KIND
  local key
  [[ $1 =~ ^(iso|container|uki)$ ]] || fail "invalid output type: $1"
  [ ${#rest[@]} -gt 0 ] || fail 'no image provided'
  needs_folder overlay-rootfs "${option[overlay-rootfs]:-}"
  needs_folder overlay-iso "${option[overlay-iso]:-}"
  [ -z "${option[overlay-iso]:-}" ] || [ "$1" = iso ] || fail 'overlay-iso is only supported for iso artifacts'
  needs_folder public-keys "${option[public-keys]:-}"
  for key in ${option[public-keys]:+$AUTHORITIES}; do
    [ -e "${option[public-keys]}/$key" ] || fail "keys directory does not contain required file: $key"
  done
  for key in tpm-pcr-private-key sb-key sb-cert; do
    [ -n "${option[$key]:-}" ] || fail "Required flag \"$key\" not set"
    [ -e "${option[$key]}" ] || fail "$key does not exist: ${option[$key]}"
  done
}

signed() { sbsign --key "${option[sb-key]}" --cert "${option[sb-cert]}" --output "$2" "$1"; }

efi_tree() { # ROOT FOLDER
  mkdir -p "$2"/EFI/{BOOT,kairos,tools} "$2/loader/entries" "$2/loader/keys/auto"
  signed /usr/lib/systemd/boot/efi/systemd-bootx64.efi "$2/EFI/BOOT/BOOTX64.EFI"
  one_program "$1" "$work/plain.efi"
  signed "$work/plain.efi" "$2/EFI/kairos/norole.efi"
  printf 'timeout 1\nconsole-mode max\neditor no\n' >"$2/loader/loader.conf"
  printf 'title %s\nefi /EFI/kairos/norole.efi\n' "${option[boot-branding]:-Kairos}" >"$2/loader/entries/norole.conf"
  local key
  for key in ${option[public-keys]:+$AUTHORITIES}; do cp -L "${option[public-keys]}/$key" "$2/loader/keys/auto/"; done
}

# The whole system is the initrd. Each section follows the one before, aligned as in the stub.
one_program() { # ROOT FILE
  local at=0 part size vma stub=/usr/lib/systemd/boot/efi/linuxx64.efi.stub sections=()
  printf 'console=ttyS0,115200 panic=5 rd.immucore.uki install-mode' >"$work/cmdline"
  cp -L "$1/etc/os-release" "$work/osrel"
  cp -L "$1/boot/vmlinuz" "$work/linux"
  rm -rf "$1/boot" "$1/init"
  ln -s /usr/bin/immucore "$1/init"
  (cd "$1" && find . -path ./sys -prune -o -path ./run -prune -o -path ./dev -prune -o -path ./tmp -prune -o -path ./proc -prune -o -print |
    cpio -o -H newc -R 0:0 --quiet | gzip -n -1) >"$work/initrd"
  while read -r _ part size vma _; do
    [ $((16#$vma + 16#$size)) -le "$at" ] || at=$((16#$vma + 16#$size))
  done < <(objdump -h "$stub" | grep -E '^ +[0-9]+ ')
  for part in osrel cmdline linux initrd; do
    at=$(((at + 4095) / 4096 * 4096))
    sections+=(--add-section ".$part=$work/$part" --change-section-vma ".$part=$(printf '0x%x' "$at")")
    at=$((at + $(stat -c %s "$work/$part")))
  done
  objcopy "${sections[@]}" "$stub" "$2"
}

uki_medium() { # TREE FILE
  local stage=$work/medium
  mkdir "$stage"
  truncate -s $(($(du -sm "$1" | cut -f 1) + 6))M "$stage/efiboot.img"
  mkfs.vfat "$stage/efiboot.img" >/dev/null
  mcopy -s -i "$stage/efiboot.img" "$1/EFI" "$1/loader" ::
  [ -z "${option[overlay-iso]:-}" ] || cp -a "${option[overlay-iso]}/." "$stage/"
  xorriso -as mkisofs -quiet -V UKI_ISO_INSTALL -isohybrid-gpt-basdat -e efiboot.img -no-emul-boot -o "$2" "$stage"
}
