#!/bin/sh
# enter.sh CGROUP HIERARCHIES BOOT: joins the machine's control groups, then runs BOOT as the first process of new namespaces.
# Joining comes first, so that the root of the new cgroup namespace is the machine's group. The time namespace makes the uptime start at 0.
set -e
cgroup=$1 hierarchies=$2 boot=$3
for h in $hierarchies; do echo $$ >"/sys/fs/cgroup/$h/$cgroup/cgroup.procs"; done
read -r uptime _ </proc/uptime
exec unshare --pid --fork --kill-child=SIGKILL --mount --uts --ipc --net --cgroup --time --boottime "-${uptime%%.*}" -- "$boot"
