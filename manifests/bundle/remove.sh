#!/bin/sh
# Takes the operator away again, on a control plane of the cluster: first the wishes, which need the operator for their end,
# then the manifest, then, with k3s, the objects: k3s leaves what it has applied, k0s deletes what is gone from its folder.
# Where both have the manifest, the cluster of one answers; that is enough.
#   OPERATOR_DISTRO  k3s or k0s; by default every one that has the manifest
#   OPERATOR_ROOT    the system to remove from; by default the running one
#   KUBECTL          the command to speak with the cluster; by default "k3s kubectl" or "k0s kubectl"
set -eu

root=${OPERATOR_ROOT:-}
root=${root%/}
k3s=$root/var/lib/rancher/k3s/server/manifests/kairos-operator.yaml
k0s=$root/var/lib/k0s/manifests/kairos-operator

say() { echo "kairos-operator: $*"; }
die() { say "$@" >&2; exit 1; }

# Word by word: the command may have several.
# shellcheck disable=SC2086
ask() {
  distro=$1
  shift
  ${KUBECTL:-$distro kubectl} "$@"
}

# A kind that is not there has no objects.
wishes_of() {
  for kind in nodeopupgrades.operator.kairos.io nodeops.operator.kairos.io osartifacts.build.kairos.io; do
    known=$(ask "$1" get crd "$kind" --ignore-not-found -o name) || { say "the cluster does not answer; nothing was removed from $1" >&2; exit 2; }
    [ -n "$known" ] || continue
    ask "$1" delete "$kind" --all --all-namespaces --timeout=15m || die "the $kind did not end; nothing else was removed"
  done
}

from_k3s() {
  wishes_of k3s
  # First out of the folder, or k3s applies it again. Under this name it is not read. It is there already where an earlier run ended here.
  [ ! -e "$k3s" ] || mv -f "$k3s" "$k3s.removed" || die "cannot move $k3s"
  ask k3s delete -f "$k3s.removed" --ignore-not-found --timeout=5m || die "the manifest is $k3s.removed; delete what is left with: k3s kubectl delete -f $k3s.removed"
  # What k3s remembers of the file.
  ask k3s delete addons.k3s.cattle.io kairos-operator -n kube-system --ignore-not-found || say "k3s keeps its Addon kairos-operator in kube-system; it does nothing"
  rm -f "$k3s.removed"
  say "removed; do the same on the other servers, if they have the manifest, too"
}

from_k0s() {
  wishes_of k0s
  rm -rf "$k0s" || die "cannot remove $k0s"
  say "removed $k0s; k0s deletes the objects once no control plane has the folder"
}

found=
case ${OPERATOR_DISTRO:-} in
  '' | k3s | k0s) ;;
  *) die "OPERATOR_DISTRO is $OPERATOR_DISTRO; it must be k3s or k0s" ;;
esac
failed=
silent=
# Each in a shell of its own: the end of one is not the end of both. 2: it has no cluster that answers.
try() {
  status=0
  ("from_$1") || status=$?
  case $status in
    0) found=yes ;;
    2) silent=yes ;;
    *) failed=yes ;;
  esac
}
if [ "${OPERATOR_DISTRO:-k3s}" = k3s ] && { [ -e "$k3s" ] || [ -e "$k3s.removed" ]; }; then try k3s; fi
if [ "${OPERATOR_DISTRO:-k0s}" = k0s ] && [ -e "$k0s" ]; then try k0s; fi
[ -z "$failed" ] || exit 1
if [ -n "$found" ]; then
  say "where the namespace stays, the programs leave in it: kubectl -n operator-system delete secret/operator-webhook-certificate lease/ce9721c3.kairos.io lease/operator-control-plane"
  exit 0
fi
[ -z "$silent" ] || exit 1
say "the manifest is not on this node"
