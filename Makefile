# Every target installs its Debian packages itself. The work is done by scripts in
# hack/ and tests/, which do not need make.

.DEFAULT_GOAL := build

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-27s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/berth, static, with its version and commit (VERSION=, COMMIT= override)
	@hack/build

.PHONY: shim
shim: ## Build bin/containerd-shim-berth-v2, with which containerd starts no runtime binary; docs/engines.md has its configuration
	@hack/build shim

.PHONY: install
install: ## Install bin/berth, its man pages and completions, and the shim if it is built; PREFIX=/usr/local, SBINDIR=, DESTDIR=
	@hack/install

.PHONY: uninstall
uninstall: ## Remove the files that install has installed, with the same variables
	@hack/install --uninstall

.PHONY: release
release: ## Build the files of a release in dist: binaries, packages, SBOMs, SHA256SUMS; RELEASES.md explains them
	@hack/release/build dist

.PHONY: release-check
release-check: ## Build a release twice and compare, and test the packages (as root; half an hour)
	@hack/release/check

# For hack/install.
export PREFIX DESTDIR SBINDIR MANDIR DOCDIR BASHDIR ZSHDIR FISHDIR

.PHONY: demo
demo: ## Build berth and run a container that prints a greeting (as root)
	@hack/demo

.PHONY: test
test: ## Build berth and run all tests except those of test-vm (as root)
	@hack/test

.PHONY: test-load
test-load: ## Run the tests five times (ROUNDS=) on a busy machine (as root)
	@hack/test-load $(ROUNDS)

.PHONY: test-vm
test-vm: ## Run the tests that need a virtual machine: all controllers of cgroup v2, systemd, AppArmor, SELinux (as root)
	@hack/deps test beds guest guest-arm64
	@hack/build
	@go run ./tests/suite --bats --beds guests

.PHONY: test-vm-arm64
test-vm-arm64: ## Run tests/integration in an emulated machine with an arm64 processor (as root; hours); TESTS= and FILTER= as below
	@hack/deps test beds guest guest-arm64
	@go run ./tests/suite --bats --beds guest-arm64-complete $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: test-kernels
test-kernels: ## Run the tests of the kernel's features with Debian's kernels 5.10, 6.1, 6.12 and 7.3 (as root; hours each); KERNELS=kernel-bookworm,... for some, kernel-bookworm-complete for all tests, TESTS= and FILTER= as below
	@hack/deps test beds guest
	@hack/build
	@go run ./tests/suite --bats --beds $(or $(KERNELS),kernels) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: unit
unit: ## Run the Go tests; those that need root are skipped without it
	@go run ./tests/suite --go

.PHONY: integration
integration: ## Run tests/integration (as root); RUNTIME=/path for another runtime, TESTS="run.bats ..." for some files, FILTER=regexp for some tests, BEDS=systemd,... (or all) for other hosts
	@hack/deps test $(if $(BEDS),beds) $(if $(findstring guest,$(BEDS)),guest) $(if $(findstring arm64,$(BEDS)),guest-arm64)
	@[ -n "$(RUNTIME)" ] || hack/build
	@go run ./tests/suite --bats $(if $(BEDS),--beds $(BEDS)) $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: prove
prove: prove-build ## Prove what docs/verification.md says: prove-kills, prove-missing, prove-races, and 300 points of each task of prove-errors (as root); SEED= and JOBS=
	@.cache/faults prove --part kills $(FAULTS)
	@.cache/faults prove --part missing $(FAULTS)
	@.cache/faults prove --part environments $(FAULTS)
	@.cache/faults races --count 17 $(FAULTS)
	@.cache/faults prove --part errors --points 300 $(FAULTS)

.PHONY: prove-kills
prove-kills: prove-build ## Kill the runtime and the stub at each call with an effect (as root); ONLY=regexp of tasks
	@.cache/faults prove --part kills $(FAULTS)

.PHONY: prove-errors
prove-errors: prove-build ## Let each call fail with each of seven errors (as root); POINTS= for that many of each task, ONLY= as above
	@.cache/faults prove --part errors $(if $(POINTS),--points $(POINTS)) $(FAULTS)

.PHONY: prove-races
prove-races: prove-build ## Let two or three commands on one container race, 3,000 times in all (as root); RACES= for that many of each contest, ONLY= as above
	@.cache/faults races --count $(or $(RACES),17) $(FAULTS)

.PHONY: prove-fuzz
prove-fuzz: ## Run each fuzz target for ten minutes, or FUZZTIME=, all in seven hours; ONLY= as above
	@hack/fuzz $(or $(FUZZTIME),10m) $(if $(ONLY),"$(ONLY)")

.PHONY: prove-soak
prove-soak: ## Run 10,000 containers and execs, and 1,000 containers at once, and check that nothing grows (as root); SOAK="--containers N --execs N --at-once N --seed N"
	@hack/deps test
	@hack/build
	@CGO_ENABLED=0 go build -o .cache/soak ./tests/soak
	@tests/beds/host -- .cache/soak init .cache/soak $(SOAK) bin/berth

.PHONY: prove-mutations
prove-mutations: ## Remove one step, check, flag or errno of the protection at a time, and see which tests notice (as root, hours); ONLY= as above, SHARE= one of so many
	@hack/deps test
	@go run ./tests/mutations $(if $(ONLY),--only "$(ONLY)") $(if $(SHARE),--share $(SHARE))

.PHONY: prove-missing
prove-missing: prove-build ## Take away each system call, one at a time, and the sets that real environments lack (as root); ONLY= as above
	@.cache/faults prove --part missing $(FAULTS)
	@.cache/faults prove --part environments $(FAULTS)

FAULTS = $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only "$(ONLY)") --jobs $(or $(JOBS),2) bin/berth

.PHONY: prove-build
prove-build:
	@hack/deps test beds guest
	@hack/build
	@CGO_ENABLED=0 go build -o .cache/faults ./tests/faults

.PHONY: reference
reference: ## Run tests/integration against Debian's runc; intended differences are in tests/integration/reference-differences
	@hack/deps test
	@go run ./tests/suite --reference $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: engines
engines: ## Run tests/engines: container engines with berth (as root); ENGINES=containerd for some engines, GENERATION=trixie or testing for those of other suites of Debian, VIEW=v2 for cgroup v2 only, or systemd for v2 and the cgroup driver systemd (with a GENERATION), RUNTIME=, TESTS= and FILTER= as above
	@hack/deps test engines $(if $(GENERATION),beds)
	@[ -n "$(RUNTIME)" ] || { hack/build && hack/build shim; }
	@go run ./tests/suite --bats --beds $(ENGINE_BEDS) $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

comma := ,
ENGINE_BEDS = $(subst $(comma),$(ENGINE_SUFFIX)$(comma),$(or $(ENGINES),engines))$(ENGINE_SUFFIX)
ENGINE_SUFFIX = $(addprefix -,$(GENERATION))$(addprefix -,$(VIEW))

.PHONY: reference-engines
reference-engines: ## Run tests/engines with the runc of the same suite of Debian; intended differences are in tests/engines/reference-differences
	@hack/deps test engines $(if $(GENERATION),beds)
	@go run ./tests/suite --reference --beds $(ENGINE_BEDS) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: cri
cri: ## Run the Kubernetes project's tests for runtimes, critest, with containerd and berth (as root; downloads and builds critest); RUNTIME=/path for another runtime, GENERATION= as above
	@GENERATION=$(GENERATION) VIEW=$(VIEW) hack/cri $(RUNTIME)

.PHONY: cri-shim
cri-shim: ## The same with containerd-shim-berth-v2
	@GENERATION=$(GENERATION) VIEW=$(VIEW) hack/cri shim

.PHONY: kubernetes
kubernetes: ## Run tests/kubernetes: a node of Kubernetes with containerd and berth (as root; downloads and builds Kubernetes, ten minutes once); RUNTIME=, TESTS= and FILTER= as above
	@hack/deps test beds
	@[ -n "$(RUNTIME)" ] || hack/build
	@go run ./tests/suite --bats --beds kubernetes $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: kubernetes-shim
kubernetes-shim: ## The same with containerd-shim-berth-v2
	@hack/deps test beds
	@hack/build && hack/build shim
	@go run ./tests/suite --bats --beds kubernetes-shim $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: kubernetes-conformance
kubernetes-conformance: ## Run the Kubernetes project's tests of a node, e2e_node, with containerd and berth (as root; builds Kubernetes and the tests, half an hour once); RUNTIME= and FILTER= as above, JOBS= tests at once
	@FILTER="$(FILTER)" JOBS=$(JOBS) hack/kubernetes-conformance $(RUNTIME)

.PHONY: kubernetes-conformance-shim
kubernetes-conformance-shim: ## The same with containerd-shim-berth-v2
	@FILTER="$(FILTER)" JOBS=$(JOBS) hack/kubernetes-conformance shim

.PHONY: bench
bench: ## Compare with Debian's runc and crun (as root); BENCH_ROUNDS=, BENCH_VIEW=v1 or v2, BENCH_ONLY=regexp of measurements, BENCH_RUNTIMES="name=/path ..." for others, BENCH_JSON=file
	@hack/deps bench
	@hack/build
	@CGO_ENABLED=0 go build -o .cache/bench ./tests/bench && .cache/bench

.PHONY: bench-shim
bench-shim: ## Compare containerd-shim-berth-v2 with containerd's shim for runc, with runc and bin/berth (as root); BENCH_ROUNDS=, BENCH_SHIM="-runtime crun=/path -idle 95s ..." for other runtimes and options
	@hack/deps engines test
	@hack/build
	@hack/build shim
	@cd shim && CGO_ENABLED=0 go run -tags no_grpc ./bench -rounds $(or $(BENCH_ROUNDS),20) -runtime runc=/usr/sbin/runc -runtime berth=$(CURDIR)/bin/berth $(BENCH_SHIM)

.PHONY: lint
lint: ## Check style and known traps: golangci-lint, gofumpt, shellcheck
	@hack/deps lint
	@hack/lint

.PHONY: generate
generate: ## Write the generated files: docs/lifecycle.md, docs/man/*.8, docs/stub.svg, docs/bench.svg (from docs/bench.json), seccomp/numbers.go, internal/codec/types.go, libcontainer/internal/state/codec.go, cmd/runtime/codec.go
	@go run ./internal/gen/codec
	@go test -tags nocodec ./libcontainer/internal/state -run 'TestCodecFile$$' -update >/dev/null
	@go run ./internal/gen/output
	@go test ./libcontainer/internal/setup -run TestLifecyclePage -update >/dev/null
	@go test ./cmd/runtime -run TestManualPages -update
	@go run ./internal/gen/syscalls
	@go run ./internal/gen/picture

.PHONY: generate-check
generate-check: ## Fail if a generated file is out of date
	@hack/generate-check
	@go test ./cmd/runtime -run TestManualPages
	@go test ./libcontainer/internal/state -run 'TestCodecFile$$'

.PHONY: deps
deps: ## Install all Debian packages that the targets need
	@hack/deps build libseccomp demo test beds engines guest bench lint release release-check

.PHONY: clean
clean: ## Remove bin/ and .cache/
	@rm -rf bin dist .cache
