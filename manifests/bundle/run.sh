#!/bin/sh
# Puts the operator's manifest where the cluster of this node looks for manifests.
#   OPERATOR_DISTRO  k3s or k0s; by default every one that is installed, unless this node is a worker of it
#   OPERATOR_ROOT    the system to install into; by default the running one
set -eu

here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/kairos-operator.yaml
root=${OPERATOR_ROOT:-}
root=${root%/}

say() { echo "kairos-operator: $*"; }
die() { say "$@" >&2; exit 1; }

# Is this program part of the system?
has() {
  for folder in /usr/bin /usr/local/bin /usr/sbin /usr/local/sbin /opt/bin /system/bin; do
    [ ! -x "$root$folder/$1" ] || return 0
  done
  return 1
}

# An agent of k3s, or a worker of k0s, has no API server and reads no manifests. Its service tells; where there is none yet, as on
# a first boot, the node may become either, and a file that nobody reads does no harm.
is_worker() {
  case $1 in
    k3s) is_service k3s-agent && ! is_service k3s ;;
    k0s) is_service k0sworker && ! is_service k0scontroller ;;
  esac
}

is_service() {
  [ -e "$root/etc/systemd/system/multi-user.target.wants/$1.service" ] || [ -e "$root/etc/runlevels/default/$1" ]
}

# The folder need not be there yet: on a first boot the cluster has never run.
target_of() {
  case $1 in
    k3s) echo "$root/var/lib/rancher/k3s/server/manifests/kairos-operator.yaml" ;;
    k0s) echo "$root/var/lib/k0s/manifests/kairos-operator/kairos-operator.yaml" ;;
    *) die "OPERATOR_DISTRO is $1; it must be k3s or k0s" ;;
  esac
}

# In one step, so that nobody reads half a file; under a name that neither k3s nor k0s reads until then.
place() {
  target=$(target_of "$1")
  folder=$(dirname "$target")
  if cmp -s "$manifest" "$target" 2>/dev/null; then
    say "$target is up to date"
    return 0
  fi
  # As k3s makes it: what the server keeps beside the manifests is nobody else's.
  if [ "$1" = k3s ] && [ ! -d "$root/var/lib/rancher/k3s/server" ]; then
    mkdir -p "$root/var/lib/rancher/k3s" && mkdir -m 0700 "$root/var/lib/rancher/k3s/server" || die "cannot make $folder"
  fi
  mkdir -p "$folder" || die "cannot make $folder"
  # Of this process alone: two runs at once must not write into the same one.
  draft=$folder/.kairos-operator.$$.draft
  trap 'rm -f "$draft"' EXIT
  cp "$manifest" "$draft" || die "cannot write to $folder"
  # It holds no secret; still nobody but root has to change it.
  chmod 0600 "$draft"
  sync "$draft" 2>/dev/null || sync
  mv -f "$draft" "$target" || die "cannot write $target"
  trap - EXIT
  say "wrote $target"
}

[ -r "$manifest" ] || die "$manifest is missing"

distros=${OPERATOR_DISTRO:-}
if [ -z "$distros" ]; then
  worker=
  for one in k3s k0s; do
    has "$one" || continue
    if is_worker "$one"; then worker=$one; else distros="$distros $one"; fi
  done
  if [ -z "$distros" ] && [ -n "$worker" ]; then
    say "this node is no control plane ($worker); nothing was done"
    exit 0
  fi
fi
[ -n "$distros" ] || die "found neither k3s nor k0s on this node; nothing was done"
for one in $distros; do target_of "$one" >/dev/null; done
for one in $distros; do place "$one"; done
