# Part of auroraboot: unpacks the layers of an image in order, with their whiteout files.
unpack() { # IMAGE FOLDER
  take_flags arch: loglevel: l: allow-insecure-registries!
  [ ${#rest[@]} -ge 2 ] || fail 'requires <image> and <destination> arguments'
  local image=${rest[0]} to=${rest[1]} from layer mark
  local flags=(--insecure-policy)
  needs_arch "${option[arch]:-}"
  [ -z "${option[arch]:-}" ] || flags+=(--override-arch "${option[arch]}")
  from=docker://${image#docker:}
  [ "${image#ocifile:}" = "$image" ] || from=docker-archive:${image#ocifile:}
  local tls=()
  [ "${option[allow-insecure-registries]:-}" != true ] || tls=(--src-tls-verify=false)
  skopeo "${flags[@]}" copy --quiet "${tls[@]}" "$from" "dir:$work/image"
  mkdir -p "$to"
  for layer in $(tr -d ' \n' <"$work/image/manifest.json" | grep -o '"layers":\[[^]]*\]' | grep -o 'sha256:[0-9a-f]*' | cut -d : -f 2); do
    tar --numeric-owner -tf "$work/image/$layer" | grep '\(^\|/\)\.wh\.' >"$work/marks" || true
    while read -r mark; do
      case ${mark##*/} in
      .wh..wh..opq) find "${to:?}/${mark%/*}" -mindepth 1 -delete 2>/dev/null || true ;;
      *) rm -rf "${to:?}/${mark%.wh.*}${mark##*.wh.}" ;;
      esac
    done <"$work/marks"
    tar --numeric-owner -xf "$work/image/$layer" -C "$to" --exclude='.wh.*'
  done
  echo "unpacked $image"
}
