#!/bin/busybox sh
# The first process of the virtual machine: runs the tests, says whether they have passed, and ends the machine.
/bin/busybox mkdir -p /proc /sys /dev /tmp /usr /sbin
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp CI=true
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
while read -r module; do insmod "/modules/$module" || echo "insmod $module failed"; done </modules/order
uname -a
test_in() {
  FODC_TEST_DISK=$1 /kernel.test -test.v -test.count=1 -test.run "$2" -test.skip "$SKIP"
}
if test_in /dev/vda "$TESTS" && test_in /dev/vdb '^TestE2E(Disk|DiskWithoutStatistics|PageCache)$'; then echo "the tests have passed"; fi
dmesg | grep -E 'BUG|WARNING|Oops'
poweroff -f
