# Part of auroraboot: unpacks the layers of an image in order, with their whiteout files.

# The scheme of a reference, as Go parses URLs: without one, a colon in the first part of the path is an error.
scheme_of() { # IMAGE
  if [[ $1 =~ ^([A-Za-z][A-Za-z0-9+.-]*): ]]; then
    echo "${BASH_REMATCH[1]}"
  elif [[ ${1%%/*} == *:* ]]; then
    fail "parse \"$1\": first path segment in URL cannot contain colon"
  fi
}

# Repositories are lower case; a registry has a dot, a port or the name localhost.
needs_reference() { # IMAGE
  local rest=$1 registry='' part='[a-z0-9]+([._-]+[a-z0-9]+)*'
  if [[ ${rest%%/*} =~ [.:] && $rest == */* ]] || [[ ${rest%%/*} == localhost ]]; then registry=${rest%%/*} rest=${rest#*/}; fi
  [[ -z $registry || $registry =~ ^[A-Za-z0-9._-]+(:[0-9]+)?$ ]] || fail "invalid image reference $1"
  [[ $rest =~ ^$part(/$part)*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?(@sha256:[0-9a-f]{64})?$ ]] || fail "invalid image reference $1"
}

# What skopeo calls that image.
source_of() { # IMAGE
  local rest=${1#*:} scheme
  scheme=$(scheme_of "$1")
  case $scheme in
  oci | docker) rest=${rest#//} ;;
  ocifile) echo "docker-archive:$rest" && return ;;
  dir | file) fail "only images can be unpacked here: $1" ;;
  *) rest=$1 ;;
  esac
  needs_reference "$rest"
  echo "docker://$rest"
}

unpack() { # IMAGE FOLDER
  take_flags arch: loglevel: l: allow-insecure-registries!
  [ ${#rest[@]} -ge 2 ] || fail 'requires <image> and <destination> arguments'
  local image=${rest[0]} to=${rest[1]} from layer mark
  local flags=(--insecure-policy)
  needs_arch "${option[arch]:-}"
  [ -z "${option[arch]:-}" ] || flags+=(--override-arch "${option[arch]}")
  from=$(source_of "$image")
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
