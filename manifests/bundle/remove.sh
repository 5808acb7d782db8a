#!/bin/sh
# Removes the operator; run it on a control plane of the cluster. First the custom resources are deleted, whose finalizers need the
# operator, then the manifest, then, with k3s, the objects: k3s keeps what it has applied, while k0s deletes the objects of a removed folder.
# When both distributions have the manifest, only one of them is running; it is enough that its cluster responds.
#   OPERATOR_DISTRO  k3s or k0s; default: every distribution that has the manifest
#   OPERATOR_ROOT    root of the system to remove the operator from; default: the running system
#   KUBECTL          the kubectl command; default: "k3s kubectl" or "k0s kubectl"
set -eu

root=${OPERATOR_ROOT:-}
root=${root%/}
k3s=$root/var/lib/rancher/k3s/server/manifests/kairos-operator.yaml
k0s=$root/var/lib/k0s/manifests/kairos-operator

say() { echo "kairos-operator: $*"; }
die() { say "$@" >&2; exit 1; }

# Unquoted, because the command may consist of several words.
# shellcheck disable=SC2086
kubectl_of() {
  distro=$1
  shift
  ${KUBECTL:-$distro kubectl} "$@"
}

# Skips a kind whose CRD does not exist.
delete_resources() {
  for kind in nodeopupgrades.operator.kairos.io nodeops.operator.kairos.io osartifacts.build.kairos.io; do
    known=$(kubectl_of "$1" get crd "$kind" --ignore-not-found -o name) || { say "the cluster does not respond; nothing was removed from $1" >&2; exit 2; }
    [ -n "$known" ] || continue
    kubectl_of "$1" delete "$kind" --all --all-namespaces --timeout=15m || die "the $kind were not deleted in time; nothing else was removed"
  done
  # The finalizer of a Job needs the operator as well.
  kubectl_of "$1" wait --for=delete jobs --all-namespaces -l operator.kairos.io/nodeop-uid --timeout=5m || say "some Jobs of NodeOps still exist"
}

from_k3s() {
  delete_resources k3s
  # The manifest leaves the folder first, otherwise k3s would apply it again; k3s ignores the new name. A previous run may have moved it already.
  [ ! -e "$k3s" ] || mv -f "$k3s" "$k3s.removed" || die "cannot move $k3s"
  kubectl_of k3s delete -f "$k3s.removed" --ignore-not-found --timeout=5m || die "the manifest is now $k3s.removed; delete the remaining objects with: k3s kubectl delete -f $k3s.removed"
  # k3s records each manifest as an Addon.
  kubectl_of k3s delete addons.k3s.cattle.io kairos-operator -n kube-system --ignore-not-found || say "the Addon kairos-operator in kube-system could not be deleted; it has no effect"
  rm -f "$k3s.removed"
  say "removed; run this script on the other servers as well if they have the manifest"
}

from_k0s() {
  delete_resources k0s
  rm -rf "$k0s" || die "cannot remove $k0s"
  say "removed $k0s; k0s deletes the objects when no control plane has this folder any more"
}

found=
case ${OPERATOR_DISTRO:-} in
  '' | k3s | k0s) ;;
  *) die "OPERATOR_DISTRO is $OPERATOR_DISTRO; it must be k3s or k0s" ;;
esac
failed=
unreachable=
# Runs in a subshell, so that a failure of one distribution does not end the script. Status 2: its cluster does not respond.
try() {
  status=0
  ("from_$1") || status=$?
  case $status in
    0) found=yes ;;
    2) unreachable=yes ;;
    *) failed=yes ;;
  esac
}
if [ "${OPERATOR_DISTRO:-k3s}" = k3s ] && { [ -e "$k3s" ] || [ -e "$k3s.removed" ]; }; then try k3s; fi
if [ "${OPERATOR_DISTRO:-k0s}" = k0s ] && [ -e "$k0s" ]; then try k0s; fi
[ -z "$failed" ] || exit 1
if [ -n "$found" ]; then
  say "if you keep the namespace, delete what the operator created in it: kubectl -n operator-system delete secret/operator-webhook-certificate lease/ce9721c3.kairos.io lease/operator-control-plane"
  exit 0
fi
[ -z "$unreachable" ] || exit 1
say "the manifest is not on this node"
