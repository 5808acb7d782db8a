# A machine for agent-init.test.ts without a kernel of its own: new namespaces, and an init process that is asked to reboot.
# $1: systemd, or another init process; $2: directory shared with the test. Its commands, such as `reboot`, come first in the PATH.
set -e
mount --make-rprivate /
mount -t proc proc /proc
# the kernel is shared with the test's machine, so its settings must stay read-only
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mount -t tmpfs tmpfs /usr/local/sbin
# systemd does not unmount this directory at shutdown
mkdir -p /run/initramfs /run/units/reboot.target.wants
mount --bind "$2" /run/initramfs
cp /run/initramfs/commands/* /usr/local/sbin/

if [ "$1" != systemd ]; then
  mount -o remount,bind,ro /
  touch /run/initramfs/up
  exec sh -c 'while :; do sleep 0.1; done'
fi

mount -t tmpfs tmpfs /sys/fs/cgroup
mkdir /sys/fs/cgroup/systemd
mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd
cat >/run/units/default.target <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=up.service
UNIT
cat >/run/units/up.service <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/touch /run/initramfs/up
UNIT
# reboot.target is the one of systemd; this unit only records that it was reached
cat >/run/units/witness.service <<'UNIT'
[Unit]
DefaultDependencies=no
Before=systemd-reboot.service
[Service]
Type=oneshot
ExecStart=/bin/touch /run/initramfs/reboot-target
UNIT
ln -s ../witness.service /run/units/reboot.target.wants/
mount -o remount,bind,ro /
# as in distributions, the file of the init process is a link that is not called systemd
ln -s "$(readlink -f /usr/bin/systemd)" /run/init
exec env -i container=test SYSTEMD_UNIT_PATH=/run/units:/usr/lib/systemd/system:/lib/systemd/system \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin /run/init --system --log-target=console --show-status=no
