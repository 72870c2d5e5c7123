# wanctl: every entry point, from a fresh Debian with a Swift toolchain to a router.
#
#   make demo      the main job as a story, in network namespaces of this machine: nothing else is touched
#   make demo-two  the same with two routers that share the LAN's gateway address
#   make test      all tests
#   make help      the rest
#
# Targets that need packages install what is missing (apt-get, by sudo where you are not root). Network namespaces need
# root: what makes some is run by sudo, everything else as you.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PREFIX ?= /usr
DESTDIR ?=
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
# As root, and with the Swift toolchain still in the path.
AS_ROOT = $(if $(SUDO),$(SUDO) env "PATH=$$PATH",)
SWIFT ?= swift
FUZZ_SECONDS ?= 10
# Of each topology; the seed is the same each time, for what fails is to be the change's doing.
CHAOS_MINUTES ?= 1
CHAOS_SEED ?= 1
# Which parts of Tests/VM, by number; all where it is empty.
PARTS ?=

LIBRARIES := libmnl-dev libnftables-dev libcurl4-openssl-dev libyaml-dev libjansson-dev libsqlite3-dev pkg-config
TOOLS := nftables conntrack iproute2 iputils-ping keepalived fping util-linux
MAN_TOOLS := mandoc
# In a root of another Debian, beside those two: what Swift and SwiftPM need.
ROOT_TOOLS := g++ libc6-dev git ca-certificates procps
# Libraries that swift.org's toolchain is linked with.
TOOLCHAIN_LIBRARIES := libncurses6 libxml2
# What boots a virtual machine, and what the tests call in it where it sees this machine's programs.
VM_TOOLS := qemu-system-x86 cpio kmod busybox-static xz-utils util-linux
VM_GUEST := systemd ppp pppoe socat hostapd wpasupplicant iw keepalived
# How long a guest may take, in seconds: most of it is the emulation of its processors.
VM_SECONDS := 780

BUILT := .build/release
PROGRAMS := wanctld wanctl-courier wanctl-recorder wanctl wanctl-lab
UNIT_FILES := wanctld.service wanctl-recorder.service wanctl-recorder.socket wanctl-courier.socket wanctl-courier@.service \
	wanctl-handover.service wanctl-handover.timer
# One directory, since each program finds the others beside itself.
LIB = $(DESTDIR)$(PREFIX)/lib/wanctl
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
MAN := $(wildcard Systemd/man/*.[1-9])
MAN_DIR = $(DESTDIR)$(PREFIX)/share/man
# man1/wanctl.1 for Systemd/man/wanctl.1
MAN_PLACES = $(foreach page,$(notdir $(MAN)),man$(subst .,,$(suffix $(page)))/$(page))

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## install the libraries and tools that are missing
	@SUDO="$(SUDO)" Tests/Tools/need $(LIBRARIES) $(TOOLS)
	@command -v $(SWIFT) >/dev/null || { echo "no Swift: install a 6.2 toolchain or newer, see swift.org/install" >&2; exit 1; }

.PHONY: build
build: setup ## the four programs, for development, into .build/debug
	$(SWIFT) build

.PHONY: release
release: setup ## the four programs for a router, into .build/release
	$(SWIFT) build -c release --static-swift-stdlib

# Sites of several boxes, and what the lab's own programs do.
FIRST_HALF := SystemTests\.(Site|ThreeBox|DaemonInLab)
# What stops a whole processor.
ALONE := SystemTests\.LargeTable

.PHONY: test
test: setup ## build and run all tests
	$(SWIFT) build --build-tests
	@# The real programs in namespaces come second, with the machine to themselves: their outages are measured. They mostly wait,
	@# so there are two halves at a time, each with two labs: of two processors that takes a half. A shell starts what is in the
	@# background with SIGINT ignored; and one SwiftPM would wait for the other, whichever comes first.
	@total=$$($(AS_ROOT) $(SWIFT) test list --skip-build | grep -c /); \
	status=0; \
	{ \
		$(AS_ROOT) $(SWIFT) test --skip-build --skip SystemTests || status=$$?; \
		env --default-signal=INT $(AS_ROOT) $(SWIFT) test --ignore-lock --skip-build --filter "$(FIRST_HALF)" & first=$$!; \
		$(AS_ROOT) $(SWIFT) test --ignore-lock --skip-build --filter SystemTests --skip "$(FIRST_HALF)|$(ALONE)" || status=$$?; \
		wait $$first || status=$$?; \
		$(AS_ROOT) $(SWIFT) test --skip-build --filter "$(ALONE)" || status=$$?; \
		exit $$status; \
	} 2>&1 | Tests/Tools/progress "$$total" || status=$$?; \
	$(AS_ROOT) Tests/Tools/left-over || [ $$status != 0 ] || status=1; \
	exit $$status

# $(call in_root,SUITE,TOOLCHAIN)
in_root = $(AS_ROOT) env "TOOLCHAIN=$(2)" Tests/Tools/in-root .build/roots/$(1) Tests/Tools/test-in-root $(1)
# The directory above usr/bin/swift, whatever leads there.
TOOLCHAIN = $(shell $(SWIFT) -print-target-info | sed -n 's,.*"runtimeResourcePath": "\(.*\)/usr/lib/swift".*,\1,p')

.PHONY: test-debian13
test-debian13: packages ## the tests that touch libraries, sites and the demo in a root of Debian 13, with this Swift
	$(AS_ROOT) Tests/Tools/debian-root trixie .build/roots/trixie $(LIBRARIES) $(TOOLS) $(ROOT_TOOLS) $(TOOLCHAIN_LIBRARIES)
	$(call in_root,trixie,$(TOOLCHAIN))

.PHONY: test-sid
test-sid: packages ## build with Debian sid's own Swift, and the tests of the ruleset with its nft
	$(AS_ROOT) Tests/Tools/debian-root sid .build/roots/sid swiftlang $(LIBRARIES) $(TOOLS) $(ROOT_TOOLS)
	$(call in_root,sid,)

# What the roots are made with, and the Swift packages, which are fetched out here.
.PHONY: packages
packages:
	@SUDO="$(SUDO)" Tests/Tools/need mmdebstrap debian-archive-keyring
	$(SWIFT) package resolve

.PHONY: demo
demo: setup ## the main job as a story: a fibre fails, nobody notices
	$(SWIFT) build -c release --static-swift-stdlib
	$(AS_ROOT) $(BUILT)/wanctl-lab demo

.PHONY: demo-two
demo-two: setup ## two routers and keepalived, `wanctl-lab demo --two-boxes`
	$(SWIFT) build -c release --static-swift-stdlib
	$(AS_ROOT) $(BUILT)/wanctl-lab demo --two-boxes

.PHONY: bench
bench: setup ## outages, CPU and memory, beside keepalived and fping
	$(SWIFT) build -c release --static-swift-stdlib
	$(AS_ROOT) $(BUILT)/wanctl-lab bench

.PHONY: chaos
chaos: setup ## random faults, healed again, in both topologies (CHAOS_MINUTES for each, 1; CHAOS_SEED)
	$(SWIFT) build -c release --static-swift-stdlib
	@status=0; \
	$(AS_ROOT) $(BUILT)/wanctl-lab chaos --seed $(CHAOS_SEED) --minutes $(CHAOS_MINUTES) || status=$$?; \
	$(AS_ROOT) $(BUILT)/wanctl-lab chaos --seed $(CHAOS_SEED) --minutes $(CHAOS_MINUTES) --two-boxes || status=$$?; \
	exit $$status

.PHONY: check
check: setup lint purity man ## what must hold before a commit: format, lint, purity, manual pages, a build without a warning
	$(SWIFT) build --build-tests

.PHONY: lint
lint: ## swift-format, strictly
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests Package.swift

.PHONY: purity
purity: ## who may import what
	@Tests/Tools/purity

.PHONY: man
man: ## the manual pages without a fault
	@SUDO="$(SUDO)" Tests/Tools/need $(MAN_TOOLS)
	mandoc -T lint -W warning $(MAN)

.PHONY: format
format: ## rewrite the sources as swift-format wants them
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Package.swift

.PHONY: fuzz
fuzz: setup ## each parser under libFuzzer and AddressSanitizer for FUZZ_SECONDS
	@# The second flag takes the place of the first one's, which also says that there is no main.
	FUZZ=1 $(SWIFT) build --sanitize fuzzer -Xswiftc -sanitize=fuzzer,address --scratch-path .build-fuzz --product fuzz-parsers
	@Tests/Fuzz/run $(FUZZ_SECONDS)

.PHONY: vm-test
vm-test: vm-root ## the systemd unit with real PPP and Wi-Fi, in a virtual machine (PARTS=)
	@SUDO="$(SUDO)" Tests/Tools/need $(VM_GUEST)
	$(AS_ROOT) Tests/VM/machine host $(VM_SECONDS) Tests/VM/run $(PARTS)

.PHONY: vm-test-debian13
vm-test-debian13: vm-root ## the same in a Debian 13 of its own
	@SUDO="$(SUDO)" Tests/Tools/need mmdebstrap
	$(AS_ROOT) Tests/VM/machine debian13 $(VM_SECONDS) Tests/VM/run $(PARTS)

# What those install in the guest.
.PHONY: vm-root
vm-root: setup
	@SUDO="$(SUDO)" Tests/Tools/need $(VM_TOOLS)
	$(SWIFT) build -c release --static-swift-stdlib
	rm -rf .build/vm-root
	$(MAKE) --no-print-directory install DESTDIR=.build/vm-root

.PHONY: install
install: ## the programs of `make release`, manual pages, unit, user, sample policy (PREFIX, DESTDIR)
	@[ -x $(BUILT)/wanctld ] || { echo "nothing to install: run make release first" >&2; exit 1; }
	install -d $(LIB) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -s $(addprefix $(BUILT)/,$(PROGRAMS)) $(LIB)
	ln -sfn ../lib/wanctl/wanctl $(DESTDIR)$(PREFIX)/bin/wanctl
	ln -sfn ../lib/wanctl/wanctl-lab $(DESTDIR)$(PREFIX)/bin/wanctl-lab
	ln -sfn ../lib/wanctl/wanctld $(DESTDIR)$(PREFIX)/sbin/wanctld
	install -d $(UNITS)
	for unit in $(UNIT_FILES); do \
		sed -E 's,/usr/(lib/wanctl|bin|share)/,$(PREFIX)/\1/,g' Systemd/$$unit > $(UNITS)/$$unit; \
		chmod 644 $(UNITS)/$$unit; done
	install -D -m 644 Systemd/wanctl.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/wanctl.conf
	install -D -m 644 Systemd/wanctl.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/wanctl.conf
	install -D -m 644 Systemd/90-wanctl.conf $(DESTDIR)$(PREFIX)/lib/sysctl.d/90-wanctl.conf
	install -D -m 644 Systemd/wanctl.rt_protos $(DESTDIR)/etc/iproute2/rt_protos.d/wanctl.conf
	install -D -m 644 Policies/one-box.yaml $(DESTDIR)/etc/wanctl/policy.yaml.example
	for text in README.md ARCHITECTURE.md BENCHMARKS.md LICENSE; do \
		[ ! -e $$text ] || install -D -m 644 $$text $(DESTDIR)$(PREFIX)/share/doc/wanctl/$$text; done
	install -d $(DESTDIR)$(PREFIX)/share/doc/wanctl/Policies
	install -m 644 Policies/*.yaml Policies/*.txt $(DESTDIR)$(PREFIX)/share/doc/wanctl/Policies
	install -d $(sort $(dir $(addprefix $(MAN_DIR)/,$(MAN_PLACES))))
	for page in $(MAN_PLACES); do \
		sed -E 's,/usr/(lib|share)/,$(PREFIX)/\1/,g' Systemd/man/$${page#*/} > $(MAN_DIR)/$$page; \
		chmod 644 $(MAN_DIR)/$$page; done
	@[ -n "$(DESTDIR)" ] || Tests/Tools/installed

.PHONY: uninstall
uninstall: ## take that away again; leaves /etc/wanctl, /var/lib/wanctl* and the routes
	@[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl disable --now wanctld wanctl-courier.socket wanctl-recorder.socket wanctl-recorder 2>/dev/null || true
	@# Nobody is left to take it back: a box without its daemon is no gateway.
	@[ -n "$(DESTDIR)" ] || ! [ -x $(PREFIX)/lib/wanctl/wanctld ] || $(PREFIX)/lib/wanctl/wanctld --hand-over || true
	@[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl stop wanctl-handover.timer 2>/dev/null || true
	rm -rf $(LIB) $(DESTDIR)$(PREFIX)/share/doc/wanctl
	rm -f $(DESTDIR)$(PREFIX)/bin/wanctl $(DESTDIR)$(PREFIX)/bin/wanctl-lab $(DESTDIR)$(PREFIX)/sbin/wanctld
	rm -f $(addprefix $(MAN_DIR)/,$(MAN_PLACES))
	rm -f $(addprefix $(UNITS)/,$(UNIT_FILES)) $(DESTDIR)$(PREFIX)/lib/sysusers.d/wanctl.conf
	rm -f $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/wanctl.conf $(DESTDIR)$(PREFIX)/lib/sysctl.d/90-wanctl.conf
	rm -f $(DESTDIR)/etc/iproute2/rt_protos.d/wanctl.conf $(DESTDIR)/etc/wanctl/policy.yaml.example

.PHONY: clean
clean: ## take away everything that was built
	@# The roots and the virtual machine's files are root's.
	$(if $(wildcard .build/roots .build/vm),$(SUDO)) rm -rf .build .build-fuzz
