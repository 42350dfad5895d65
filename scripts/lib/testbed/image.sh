# Makes what an emulated host boots from, in out/testbed: kernel/ (the Debian package, unpacked), vmlinux, initrd.cpio.
# Sourced by scripts/setup and scripts/testbed after common.sh.

testbed_out=$out/testbed
testbed_library=$root/scripts/lib/testbed

# Loaded before the root is there; everything else is loaded by name from the package when it is used.
testbed_modules=(virtio_pci 9pnet_virtio 9p overlay kvm-amd virtio_net tun)

testbed_image_is_current() {
    [[ -s $testbed_out/vmlinux && -s $testbed_out/initrd.cpio ]] || return 1
    local source
    for source in init hold-kvm.c image.sh; do
        [[ ! $testbed_library/$source -nt $testbed_out/initrd.cpio ]] || return 1
    done
}

# Unpacks the newest linux-image package of this Debian without installing it.
fetch_kernel() {
    compgen -G "$testbed_out/kernel/boot/vmlinuz-*" > /dev/null && return 0
    local package folder=$testbed_out/download
    mkdir -p "$folder"
    package=$(apt-cache depends linux-image-amd64 2> /dev/null | awk '$1 == "Depends:" { print $2; exit }')
    [[ -n $package ]] || { warn "apt does not know linux-image-amd64 (apt-get update?)"; return 1; }
    say "downloading $package (about 70 MB; it is unpacked, not installed)"
    (cd "$folder" && apt-get download -o APT::Sandbox::User=root "$package" > /dev/null) || return 1
    say "unpacking $package into out/testbed/kernel"
    rm -rf "$testbed_out/kernel.new"
    dpkg-deb -x "$folder"/linux-image-*.deb "$testbed_out/kernel.new"
    depmod -b "$testbed_out/kernel.new" "$(ls "$testbed_out/kernel.new/lib/modules")" 2> /dev/null
    rm -rf "$testbed_out/kernel" "$folder"
    mv "$testbed_out/kernel.new" "$testbed_out/kernel"
}

build_initrd() {
    local work=$testbed_out/initrd.$$ version module file
    version=$(ls "$testbed_out/kernel/lib/modules")
    rm -rf "$work"
    mkdir -p "$work"/{bin,dev,proc,sys,modules,lower,upper,newroot}
    cp "$(command -v busybox)" "$work/bin/busybox"
    cp "$testbed_library/init" "$work/init"
    gcc -std=gnu11 -O1 -Wall -Wextra -Werror -static -s -o "$work/bin/hold-kvm" "$testbed_library/hold-kvm.c"
    for module in "${testbed_modules[@]}"; do
        modprobe -d "$testbed_out/kernel" -S "$version" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'
    done | awk '!seen[$0]++' | while read -r file; do
        cp "$file" "$work/modules/"
        printf '%s\n' "${file##*/}" >> "$work/modules/order"
    done
    (cd "$work" && find . | cpio --quiet -o -H newc) > "$testbed_out/initrd.cpio.new"
    mv "$testbed_out/initrd.cpio.new" "$testbed_out/initrd.cpio"
    rm -rf "$work"
}

build_testbed_image() {
    local path=$PATH
    PATH=$PATH:/usr/sbin:/sbin
    mkdir -p "$testbed_out"
    fetch_kernel || { PATH=$path; return 1; }
    [[ -s $testbed_out/vmlinux ]] || "$root/images/linux/extract-vmlinux" "$testbed_out"/kernel/boot/vmlinuz-* "$testbed_out/vmlinux"
    build_initrd
    PATH=$path
}
