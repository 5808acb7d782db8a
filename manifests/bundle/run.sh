#!/bin/sh
# Installs the operator's manifest in the folder from which k3s or k0s applies manifests.
#   OPERATOR_DISTRO  k3s or k0s; default: every installed distribution of which this node is not a worker
#   OPERATOR_ROOT    root of the system to install into; default: the running system
set -eu

here=$(cd "$(dirname "$0")" && pwd)
manifest=$here/kairos-operator.yaml
root=${OPERATOR_ROOT:-}
root=${root%/}

say() { echo "kairos-operator: $*"; }
die() { say "$@" >&2; exit 1; }

# Whether the program is installed.
has() {
  for folder in /usr/bin /usr/local/bin /usr/sbin /usr/local/sbin /opt/bin /system/bin; do
    [ ! -x "$root$folder/$1" ] || return 0
  done
  return 1
}

# A k3s agent or a k0s worker has no API server and applies no manifests. The enabled service shows the role. Before the first boot no
# service is enabled and the node may become either; an unused manifest does no harm.
is_worker() {
  case $1 in
    k3s) is_service k3s-agent && ! is_service k3s ;;
    k0s) is_service k0sworker && ! is_service k0scontroller ;;
  esac
}

is_service() {
  [ -e "$root/etc/systemd/system/multi-user.target.wants/$1.service" ] || [ -e "$root/etc/runlevels/default/$1" ]
}

# The folder may not exist yet: before the first boot the cluster has never run.
target_of() {
  case $1 in
    k3s) echo "$root/var/lib/rancher/k3s/server/manifests/kairos-operator.yaml" ;;
    k0s) echo "$root/var/lib/k0s/manifests/kairos-operator/kairos-operator.yaml" ;;
    *) die "OPERATOR_DISTRO is $1; it must be k3s or k0s" ;;
  esac
}

# Replaces the file atomically, so that it is never read incomplete. k3s and k0s ignore the name of the draft.
place() {
  target=$(target_of "$1")
  folder=$(dirname "$target")
  if cmp -s "$manifest" "$target" 2>/dev/null; then
    say "$target is up to date"
    return 0
  fi
  # The mode that k3s itself uses, because the server keeps private data in this folder.
  if [ "$1" = k3s ] && [ ! -d "$root/var/lib/rancher/k3s/server" ]; then
    mkdir -p "$root/var/lib/rancher/k3s" && mkdir -m 0700 "$root/var/lib/rancher/k3s/server" || die "cannot create $folder"
  fi
  mkdir -p "$folder" || die "cannot create $folder"
  # The name contains the process id, so that two concurrent runs do not write to the same draft.
  draft=$folder/.kairos-operator.$$.draft
  trap 'rm -f "$draft"' EXIT
  cp "$manifest" "$draft" || die "cannot write to $folder"
  # The manifest contains no secret, but only root may change it.
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
    say "this node is not a control plane ($worker); nothing was done"
    exit 0
  fi
fi
[ -n "$distros" ] || die "found neither k3s nor k0s on this node; nothing was done"
for one in $distros; do target_of "$one" >/dev/null; done
for one in $distros; do place "$one"; done
