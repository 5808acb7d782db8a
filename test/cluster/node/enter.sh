#!/bin/sh
# enter.sh CGROUP HIERARCHIES BOOT: joins the machine's control groups, then starts BOOT as the first process of new namespaces.
# Joining comes first, so that the new cgroup namespace has its root there; the time namespace makes the uptime begin at 0.
set -e
cgroup=$1 hierarchies=$2 boot=$3
for h in $hierarchies; do echo $$ >"/sys/fs/cgroup/$h/$cgroup/cgroup.procs"; done
read -r uptime _ </proc/uptime
exec unshare --pid --fork --kill-child=SIGKILL --mount --uts --ipc --net --cgroup --time --boottime "-${uptime%%.*}" -- "$boot"
