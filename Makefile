# What can be done here: make help

.SHELLFLAGS := -euc
.DEFAULT_GOAL := help

GO ?= go
BIN := $(CURDIR)/bin
export GOBIN := $(BIN)

# Set for a release: make build VERSION=v1.2.3
VERSION ?=
LDFLAGS := $(if $(VERSION),-X fodc/modes.release=$(VERSION))

STATICCHECK_VERSION := v0.8.2
KUBECTL_VALIDATE_VERSION := v0.0.4
PROTOC_GEN_GO_VERSION := v1.36.12
PROTOC_GEN_GO_GRPC_VERSION := v1.6.2

# What looks for barriers in the pages, in tests alone: axe.min.js of the package axe-core.
AXE_VERSION := 4.14.1
AXE_SHA256 := 29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c

# A file beside each tool has its version in its name, so that another version is built anew.
STATICCHECK := $(BIN)/.staticcheck-$(STATICCHECK_VERSION)
AXE := $(BIN)/.axe-$(AXE_VERSION)
KUBECTL_VALIDATE := $(BIN)/.kubectl-validate-$(KUBECTL_VALIDATE_VERSION)
PROTOC_PLUGINS := $(BIN)/.protoc-gen-go-$(PROTOC_GEN_GO_VERSION)-grpc-$(PROTOC_GEN_GO_GRPC_VERSION)

# Where fodc is built. Its tests run on Linux; make lint vets them there, and make cross on the systems of VET_PLATFORMS, which have files
# of their own. What make cross builds for other systems nobody runs, so it is not optimised, which takes half the time.
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64 windows/amd64 freebsd/amd64
VET_PLATFORMS := darwin/arm64 windows/amd64

# The packages whose tests make test-arm64 runs. The others need what the emulator does not have:
# the resident memory of a process, its signals, and speed.
ARM64_PACKAGES ?= ./recorder/... ./messages/... ./httpapi/promapi/... ./actors ./actors/agent/nodeconfig/... ./actors/agent/telemetry/...
QEMU_ARM64 ?= qemu-aarch64

# The programs that the agent runs in the kernel. Another version of the compiler makes other bytes.
CLANG ?= clang-14
LLVM_STRIP ?= llvm-strip-14
BPF2GO_VERSION := v0.22.0
KERNEL := actors/agent/telemetry/kernel

# The kernels that make e2e-kernels boots: suites of Debian with an architecture.
KERNELS ?= bookworm/amd64 trixie/amd64 bookworm/arm64

# What a release is made for; packages and images are for those of Linux.
RELEASE_PLATFORMS ?= linux/amd64 linux/arm64 darwin/arm64 windows/amd64
LINUX_PLATFORMS = $(filter linux/%,$(RELEASE_PLATFORMS))

# What makes packages, images and lists of modules. Its versions are those of deploy/tools/go.mod.
DEPLOY_TOOLS := $(BIN)/.deploy-tools

PROTO := messages/wire/database.proto messages/wire/fodc.proto
FUZZTIME ?= 10s
E2E_TIMEOUT ?= 35m

.PHONY: help build run test race seeds lint fmt-check vet staticcheck cross test-arm64 fuzz bench bench-proxy bench-query bench-incident bench-kernel record-causes ui-vendor ui-axe proto proto-check bpf bpf-check bpf-tools docs check e2e e2e-processes e2e-pages e2e-kernels e2e-tools kube-check kube-test kube-docs package image release release-check tools-check package-check clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build bin/fodc
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/fodc .

run: build ## build, and run a proxy and an agent in one process
	exec ./bin/fodc standalone

test: ## run the tests
	$(GO) test ./...

race: ## run the tests with the race detector
	$(GO) test -race -timeout 20m ./...

seeds: ## play many more seeds of crashes and of networks than the tests do
	$(GO) test ./recorder/journal -run '^TestCrashes$$' -seeds 10000
	$(GO) test ./recorder/evidence -run '^TestCrashes$$' -seeds 3000
	$(GO) test ./modes -run '^TestReconnectsLeaveNothing$$' -reconnects 500
	$(GO) test ./actors/simulation -run '^TestSimulation$$' -seeds 500
	$(GO) test ./actors/agent/rules -run '^TestHealthyDay$$' -hours 24 -days 2
	$(GO) test ./actors/agent/rules -run '^TestOneCause$$' -stories 100

lint: fmt-check vet staticcheck ## check formatting, vet and staticcheck

fmt-check:
	@bad=$$(find . -name '*.go' -not -path './bin/*' -print0 | xargs -0 gofmt -l); \
	if [ -n "$$bad" ]; then echo "gofmt would change:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet -tags e2e,bench ./...

staticcheck: $(STATICCHECK)
	$(BIN)/staticcheck -tags e2e,bench ./...

$(STATICCHECK):
	rm -f $(BIN)/.staticcheck-*
	$(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	touch $@

cross: ## build for all systems, and vet for those that are not like this one, tests included
	@for platform in $(PLATFORMS); do \
		echo "$$platform"; \
		export CGO_ENABLED=0 GOOS="$${platform%/*}" GOARCH="$${platform#*/}"; \
		case "$$platform" in linux/*) flags=;; *) flags='-gcflags=all=-N -l';; esac; \
		$(GO) build -trimpath $${flags:+"$$flags"} -o /dev/null .; \
		case " $(VET_PLATFORMS) " in *" $$platform "*) $(GO) vet -trimpath $${flags:+"$$flags"} -tags e2e,bench ./...;; esac; \
	done

test-arm64: ## run some of the tests on an emulated arm64; needs qemu-aarch64
	@command -v $(QEMU_ARM64) >/dev/null || { echo "make test-arm64 needs $(QEMU_ARM64) on the PATH (Debian: qemu-user)"; exit 1; }
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) test -trimpath -exec $(QEMU_ARM64) $(ARM64_PACKAGES)

fuzz: ## run each fuzz test for FUZZTIME (default 10s)
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; \
			$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
		done; \
	done

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

docs: ## write the generated parts of docs/, and the schemas in deploy/config/
	$(GO) test ./modes -count=1 -run '^TestDocs(API|Configuration|Schemas)$$' -update

# A module of its own: the libraries of Helm and Kubernetes are not the program's.
kube-check: kube-test $(KUBECTL_VALIDATE) ## check what deploy/ has for Kubernetes, with Kubernetes' own schemas too; builds a validator the first time, in minutes
	$(BIN)/kubectl-validate --version 1.30 dist/kubernetes

kube-test: ## test what deploy/ has for Kubernetes: rendered, and decoded with the types of its API
	rm -rf dist/kubernetes
	cd deploy/kubetest; FODC_KUBE_MANIFESTS=$(CURDIR)/dist/kubernetes $(GO) test -count=1 ./...

kube-docs: ## write the README of the chart's values
	cd deploy/kubetest; $(GO) test -count=1 -run '^TestChartReadme$$' . -update

$(KUBECTL_VALIDATE):
	rm -f $(BIN)/.kubectl-validate-*
	$(GO) install sigs.k8s.io/kubectl-validate@$(KUBECTL_VALIDATE_VERSION)
	touch $@

bench-proxy: build ## compare the proxy with a server that only forwards bytes; takes minutes
	FODC_BENCH_BINARY=$(BIN)/fodc $(GO) test -tags bench -count=1 -v -run BenchProxy ./modes/proxybench

bench-query: build ## compare queries with pages and with a Prometheus; takes minutes, needs prometheus and promtool
	FODC_BENCH_BINARY=$(BIN)/fodc $(GO) test -tags bench -count=1 -v -run BenchQuery ./modes/querybench

bench-incident: build ## compare an agent with an open incident with the same agent in quiet times; takes 25 minutes
	FODC_BENCH_BINARY=$(BIN)/fodc $(GO) test -tags bench -count=1 -v -timeout 60m -run BenchIncident ./modes/incidentbench

bench-kernel: build ## what the programs in the kernel cost; takes 7 minutes, needs Linux and root
	FODC_BENCH_BINARY=$(BIN)/fodc $(GO) test -tags bench -count=1 -v -run BenchKernel ./$(KERNEL)

record-causes: ## record real loads anew, for the tests of the rules about long waits; takes 15 minutes, needs Linux, root and an idle machine
	$(GO) test -tags bench -count=1 -v -timeout 60m -run RecordCauses ./modes/causesbench

ui-vendor: ## fetch the libraries of the pages from npm, and compare them with their sums; needs npm
	@command -v npm >/dev/null || { echo "make ui-vendor needs npm on the PATH"; exit 1; }
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; vendor=$(CURDIR)/httpapi/ui/static/vendor; cd "$$dir"; \
	sed -n 's/^\([a-z]*\)  *\([0-9.]*\)  *[A-Za-z0-9.-]*  *\([^ ]*\)  *\([^ ]*\)  *\([0-9a-f]\{64\}\)$$/\1 \2 \3 \4 \5/p' "$$vendor/SOURCES.txt" \
	| while read -r package version from to sum; do \
		[ -e "$$package.tgz" ] || { npm pack --silent "$$package@$$version" >/dev/null; mv "$$package"-*.tgz "$$package.tgz"; }; \
		tar xzOf "$$package.tgz" "package/$$from" > file; \
		echo "$$sum  file" | sha256sum --quiet -c - || { echo "$$package $$version: $$from is not what SOURCES.txt says"; exit 1; }; \
		cp file "$$vendor/$$to"; echo "$$to is $$package $$version"; \
	done

ui-axe: $(AXE) ## fetch what looks for barriers in the pages from npm, for the tests; needs npm

$(AXE):
	@command -v npm >/dev/null || { echo "make ui-axe needs npm on the PATH (Debian: apt-get install npm)"; exit 1; }
	@mkdir -p $(BIN); dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; cd "$$dir"; \
	npm pack --silent axe-core@$(AXE_VERSION) >/dev/null; \
	tar xzOf axe-core-$(AXE_VERSION).tgz package/axe.min.js > axe.min.js; \
	echo "$(AXE_SHA256)  axe.min.js" | sha256sum --quiet -c - || { echo "axe-core $(AXE_VERSION): axe.min.js is not what the Makefile says"; exit 1; }; \
	rm -f $(BIN)/.axe-*; cp axe.min.js $(BIN)/axe.min.js; touch $@; echo "bin/axe.min.js is axe-core $(AXE_VERSION)"

proto: $(PROTOC_PLUGINS) ## generate the Go code of the wire contract; needs protoc
	@command -v protoc >/dev/null || { echo "make proto needs protoc and its .proto files (Debian: protobuf-compiler libprotobuf-dev)"; exit 1; }
	$(call protoc,.)

proto-check: SHELL := /bin/bash
proto-check: $(PROTOC_PLUGINS) ## check that the generated code is current; needs protoc
	@command -v protoc >/dev/null || { echo "make proto-check needs protoc and its .proto files (Debian: protobuf-compiler libprotobuf-dev)"; exit 1; }
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	$(call protoc,$$dir); \
	for f in "$$dir"/messages/wire/*.go; do \
		committed="messages/wire/$${f##*/}"; \
		diff -u <(grep -v $(PROTOC_VERSION_LINE) "$$committed") <(grep -v $(PROTOC_VERSION_LINE) "$$f") \
			|| { echo "$$committed is not what $(PROTO) gives: run make proto"; exit 1; }; \
	done; \
	echo "the generated code is current"

# The generated code names the version of protoc, which makes no other difference.
PROTOC_VERSION_LINE := -E '^//[ 	-]+protoc +v'

protoc = PATH="$(BIN):$$PATH" protoc --go_out=$(1) --go_opt=paths=source_relative \
	--go-grpc_out=$(1) --go-grpc_opt=paths=source_relative $(PROTO)

$(PROTOC_PLUGINS):
	rm -f $(BIN)/.protoc-gen-go-*
	$(GO) install google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)
	$(GO) install google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GO_GRPC_VERSION)
	touch $@

bpf: bpf-tools ## compile the programs that the agent runs in the kernel; needs clang-14
	$(call bpf2go,$(KERNEL))
	cd $(KERNEL); sha256sum bpf/*.[ch] programs_bpfel.go programs_bpfel.o > bpf/SHA256SUMS

bpf-check: bpf-tools ## check that the compiled programs are those of their sources; needs clang-14
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; cp -r $(KERNEL)/bpf "$$dir"; \
	$(call bpf2go,$$dir); \
	for f in programs_bpfel.go programs_bpfel.o; do \
		cmp "$$dir/$$f" "$(KERNEL)/$$f" || { echo "$(KERNEL)/$$f is not what its sources give: run make bpf"; exit 1; }; \
	done; \
	echo "the programs for the kernel are current"

bpf-tools:
	@command -v $(CLANG) >/dev/null && command -v $(LLVM_STRIP) >/dev/null && [ -e /usr/include/bpf/bpf_helpers.h ] \
		|| { echo "this needs $(CLANG), $(LLVM_STRIP) and libbpf's headers (Debian: clang-14 llvm-14 libbpf-dev)"; exit 1; }

bpf2go = (cd $(1); GOPACKAGE=kernel GOFILE=kernel.go $(GO) run github.com/cilium/ebpf/cmd/bpf2go@$(BPF2GO_VERSION) -go-package kernel \
	-cc $(CLANG) -strip $(LLVM_STRIP) -target bpfel -tags linux -type event -type peer -type histogram -type thread \
	-cflags "-O2 -g -Wall -Werror -I/usr/include/$$(uname -m)-linux-gnu" programs bpf/kernel.c)

check: lint cross race seeds ## run what CI runs, except tools-check, test-arm64 and e2e
	@if command -v protoc >/dev/null; then $(MAKE) --no-print-directory proto-check; \
	else echo "skipped: whether the generated code is current, as protoc is not installed"; fi
	@if command -v $(CLANG) >/dev/null; then $(MAKE) --no-print-directory bpf-check; \
	else echo "skipped: whether the programs for the kernel are current, as $(CLANG) is not installed"; fi

# One after the other: the tests of processes change the host's networks, and a browser drops its requests then. Those of the
# programs in the kernel come before them: while others come into the kernel and leave it, it may not tell a program of an event.
e2e: ## run the tests of whole processes, and after them those of the pages
	$(MAKE) --no-print-directory e2e-processes
	$(MAKE) --no-print-directory e2e-pages

e2e-processes: e2e-tools $(DEPLOY_TOOLS) ## run the tests of whole processes alone; needs prometheus and promtool
	$(GO) test -tags e2e -count=1 -timeout 5m -run E2E ./$(KERNEL)
	$(GO) test -tags e2e -count=1 -timeout $(E2E_TIMEOUT) -run E2E -skip E2EBrowser ./modes/...

e2e-pages: e2e-tools $(AXE) ## run the tests of the pages alone, in a browser; needs chromium
	$(GO) test -tags e2e -count=1 -timeout $(E2E_TIMEOUT) -run E2EBrowser -parallel 2 ./modes

e2e-kernels: ## run the tests of the programs in the kernel on Debian's 6.1 and 6.12, in virtual machines; takes minutes, needs qemu
	GO=$(GO) DIR=$(BIN)/kernels $(KERNEL)/vm/run.sh $(KERNELS)

e2e-tools:
	@missing=; for tool in prometheus:prometheus promtool:prometheus chromium:chromium openssl:openssl htpasswd:apache2-utils curl:curl mkfs.ext4:e2fsprogs; do \
		command -v $${tool%:*} >/dev/null || missing="$$missing\n  $${tool%:*} (Debian: apt-get install $${tool#*:})"; done; \
	[ -e $(AXE) ] || command -v npm >/dev/null || missing="$$missing\n  npm, once, to fetch what looks for barriers in the pages (Debian: apt-get install npm)"; \
	[ -z "$$missing" ] || { printf "make e2e needs on the PATH:$$missing\n"; exit 1; }

package: $(DEPLOY_TOOLS) ## make dist/packages, a deb and an rpm for each processor; needs VERSION=v1.2.3
	@work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; export GO=$(GO) SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct); \
	deploy/release/binaries.sh "$(VERSION)" "$$work" $(LINUX_PLATFORMS); \
	for platform in $(LINUX_PLATFORMS); do arch=$${platform#*/}; \
		deploy/package/build.sh "$(VERSION)" "$$arch" "$$work/linux_$$arch/fodc" "$$work/host/fodc" $(BIN)/nfpm dist/packages; done

image: $(DEPLOY_TOOLS) ## make dist/image, an OCI archive for all processors, without a daemon; needs VERSION=v1.2.3
	@work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; export GO=$(GO); mkdir -p dist/image; \
	deploy/release/binaries.sh "$(VERSION)" "$$work" $(LINUX_PLATFORMS); \
	set --; for platform in $(LINUX_PLATFORMS); do set -- "$$@" "$$platform=$$work/linux_$${platform#*/}/fodc"; done; \
	version="$(VERSION)"; out=dist/image/fodc_$${version#v}_oci.tar; \
	$(BIN)/image -time "$$(git log -1 --format=%ct)" -version "$$version" -revision "$$(git rev-parse HEAD)" -out "$$out" "$$@"; echo "$$out"

release: $(DEPLOY_TOOLS) ## make dist/release: archives, packages, an image, lists of modules and sums; needs VERSION=v1.2.3
	GO=$(GO) deploy/release/release.sh "$(VERSION)" "$(CURDIR)/dist/release" $(BIN) $(RELEASE_PLATFORMS)

package-check: tools-check kube-test release-check ## check what deploy/ has: packages, images, charts and releases; takes minutes

release-check: $(DEPLOY_TOOLS) ## check that two builds of the commit are the same bytes
	@GO=$(GO) deploy/release/check.sh $(BIN) linux/amd64

tools-check: ## vet and test what makes packages and images, which is a module of its own
	cd deploy/tools; $(GO) vet ./...; $(GO) test ./...

$(DEPLOY_TOOLS): deploy/tools/go.sum $(wildcard deploy/tools/*/*.go)
	@mkdir -p $(BIN)
	cd deploy/tools; $(GO) build -o $(BIN)/ ./pack ./image github.com/goreleaser/nfpm/v2/cmd/nfpm github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
	touch $@

clean: ## remove what was built
	rm -rf bin dist
