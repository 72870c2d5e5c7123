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
FUZZ_SECONDS ?= 20
VMLAB ?= ../shared/vmlab/vmlab
# Which parts of Tests/VM, by number; all where it is empty.
PARTS ?=

LIBRARIES := libmnl-dev libnftables-dev libcurl4-openssl-dev libyaml-dev libjansson-dev pkg-config
TOOLS := nftables conntrack iproute2 iputils-ping keepalived fping util-linux
VM_TOOLS := qemu-system-x86 cpio kmod busybox-static systemd ppp pppoe socat hostapd wpasupplicant iw keepalived

BUILT := .build/release
PROGRAMS := wanctld wanctl-courier wanctl wanctl-lab
UNIT_FILES := wanctld.service wanctl-handover.service wanctl-handover.timer
# One directory, since each program finds the others beside itself.
LIB = $(DESTDIR)$(PREFIX)/lib/wanctl
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

.PHONY: test
test: setup ## build and run all tests
	$(SWIFT) build --build-tests
	@# The real programs in namespaces come second, with the machine to themselves: their outages are measured.
	@total=$$($(AS_ROOT) $(SWIFT) test list --skip-build | grep -c /); \
	status=0; \
	{ \
		$(AS_ROOT) $(SWIFT) test --skip-build --skip SystemTests || status=$$?; \
		$(AS_ROOT) $(SWIFT) test --skip-build --filter SystemTests || status=$$?; \
		exit $$status; \
	} 2>&1 | Tests/Tools/progress "$$total" || status=$$?; \
	$(AS_ROOT) Tests/Tools/left-over || [ $$status != 0 ] || status=1; \
	exit $$status

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

.PHONY: check
check: setup lint purity ## what must hold before a commit: format, lint, purity, a build without a warning
	$(SWIFT) build --build-tests

.PHONY: lint
lint: ## swift-format, strictly
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests Package.swift

.PHONY: purity
purity: ## who may import what
	@Tests/Tools/purity

.PHONY: format
format: ## rewrite the sources as swift-format wants them
	$(SWIFT) format --in-place --recursive --parallel Sources Tests Package.swift

.PHONY: fuzz
fuzz: setup ## each parser under libFuzzer for FUZZ_SECONDS
	FUZZ=1 $(SWIFT) build --sanitize fuzzer --scratch-path .build-fuzz --product fuzz-parsers
	@Tests/Fuzz/run $(FUZZ_SECONDS)

.PHONY: vm-test
vm-test: setup ## the systemd unit with real PPP and Wi-Fi, in a virtual machine (VMLAB=…/vmlab, PARTS=)
	@[ -x "$(VMLAB)" ] || { echo "no $(VMLAB): say where vmlab is, make vm-test VMLAB=PATH" >&2; exit 1; }
	@SUDO="$(SUDO)" Tests/Tools/need $(VM_TOOLS)
	$(SWIFT) build -c release --static-swift-stdlib
	rm -rf .build/vm-root
	$(MAKE) --no-print-directory install DESTDIR=.build/vm-root
	VMLAB_OUT=.build/vm-out $(AS_ROOT) "$(VMLAB)" --systemd --timeout 600 Tests/VM/run $(PARTS)

.PHONY: install
install: ## the programs of `make release`, unit, user, sample policy (PREFIX, DESTDIR)
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
	for text in README.md ARCHITECTURE.md; do \
		[ ! -e $$text ] || install -D -m 644 $$text $(DESTDIR)$(PREFIX)/share/doc/wanctl/$$text; done
	install -d $(DESTDIR)$(PREFIX)/share/doc/wanctl/Policies
	install -m 644 Policies/*.yaml Policies/*.txt $(DESTDIR)$(PREFIX)/share/doc/wanctl/Policies
	@[ -n "$(DESTDIR)" ] || Tests/Tools/installed

.PHONY: uninstall
uninstall: ## take that away again; leaves /etc/wanctl, /var/lib/wanctl and the routes
	@[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl disable --now wanctld 2>/dev/null || true
	@# Nobody is left to take it back: a box without its daemon is no gateway.
	@[ -n "$(DESTDIR)" ] || ! [ -x $(PREFIX)/lib/wanctl/wanctld ] || $(PREFIX)/lib/wanctl/wanctld --hand-over || true
	@[ -n "$(DESTDIR)" ] || ! [ -d /run/systemd/system ] || systemctl stop wanctl-handover.timer 2>/dev/null || true
	rm -rf $(LIB) $(DESTDIR)$(PREFIX)/share/doc/wanctl
	rm -f $(DESTDIR)$(PREFIX)/bin/wanctl $(DESTDIR)$(PREFIX)/bin/wanctl-lab $(DESTDIR)$(PREFIX)/sbin/wanctld
	rm -f $(addprefix $(UNITS)/,$(UNIT_FILES)) $(DESTDIR)$(PREFIX)/lib/sysusers.d/wanctl.conf
	rm -f $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/wanctl.conf $(DESTDIR)$(PREFIX)/lib/sysctl.d/90-wanctl.conf
	rm -f $(DESTDIR)/etc/iproute2/rt_protos.d/wanctl.conf $(DESTDIR)/etc/wanctl/policy.yaml.example

.PHONY: clean
clean: ## take away everything that was built
	rm -rf .build .build-fuzz
