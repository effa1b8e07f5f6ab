# Every target installs what it needs itself. The work is in hack/ and tests/,
# as scripts that do not need make.

.DEFAULT_GOAL := build

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Make bin/berth: static, version and commit stamped in (VERSION=, COMMIT= override)
	@hack/build

.PHONY: demo
demo: ## Build, then run a container that says hello (as root)
	@hack/demo

.PHONY: test
test: ## Build, then run all the tests but those of test-vm (as root)
	@hack/test

.PHONY: test-load
test-load: ## Run the tests five times on a machine that is kept busy; ROUNDS= for more or fewer (as root)
	@hack/test-load $(ROUNDS)

.PHONY: test-vm
test-vm: ## Run what needs a virtual machine: all controllers of cgroup v2, systemd, AppArmor (as root)
	@hack/deps test beds guest
	@hack/build
	@go run ./tests/suite --bats --beds guests

.PHONY: unit
unit: ## Run the Go tests alone; no root needed
	@go run ./tests/suite --go

.PHONY: integration
integration: ## Run tests/integration (as root); RUNTIME=/path for another runtime, TESTS="run.bats ..." for some files, FILTER=regexp for some tests; BEDS=systemd,... or all for other hosts than this
	@hack/deps test $(if $(BEDS),beds) $(if $(findstring guest,$(BEDS)),guest)
	@[ -n "$(RUNTIME)" ] || hack/build
	@go run ./tests/suite --bats $(if $(BEDS),--beds $(BEDS)) $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: reference
reference: ## Run tests/integration against Debian's runc; wanted differences are in tests/integration/reference-differences
	@hack/deps test
	@go run ./tests/suite --reference $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: engines
engines: ## Run tests/engines: container engines with berth (as root); ENGINES=containerd for some, RUNTIME=, TESTS= and FILTER= as above
	@hack/deps test engines
	@[ -n "$(RUNTIME)" ] || hack/build
	@go run ./tests/suite --bats --beds $(or $(ENGINES),engines) $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: reference-engines
reference-engines: ## Run tests/engines with Debian's runc; wanted differences are in tests/engines/reference-differences
	@hack/deps test engines
	@go run ./tests/suite --reference --beds $(or $(ENGINES),engines) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: cri
cri: ## Run the Kubernetes project's tests for runtimes, critest, with containerd and berth (as root; fetches and builds critest); RUNTIME=/path for another
	@hack/cri $(RUNTIME)

.PHONY: bench
bench: ## Compare with runc (and crun where it runs), as ratios (as root); BENCH_ROUNDS=, BENCH_LIMIT= loosen
	@hack/deps bench
	@hack/build
	@go build -o .cache/bench ./tests/bench && .cache/bench

.PHONY: lint
lint: ## Check style and known traps: golangci-lint, gofumpt, shellcheck
	@hack/deps lint
	@hack/lint

.PHONY: generate
generate: ## Write the files that are generated: docs/lifecycle.md, docs/man/berth.8, docs/stub.svg, seccomp/numbers.go
	@go test ./libcontainer/internal/setup -run TestLifecyclePage -update >/dev/null
	@go test ./cmd/runtime -run TestManualPage -update
	@go run ./internal/gen/syscalls
	@go run ./internal/gen/picture

.PHONY: generate-check
generate-check: ## Fail when a generated file is not what its source says
	@hack/generate-check
	@go test ./cmd/runtime -run TestManualPage

.PHONY: deps
deps: ## Install all Debian packages that the targets need
	@hack/deps build libseccomp demo test beds engines guest bench lint

.PHONY: clean
clean: ## Remove what the targets made
	@rm -rf bin .cache
