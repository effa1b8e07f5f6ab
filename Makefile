# Every target installs its Debian packages itself. The work is done by scripts in
# hack/ and tests/, which do not need make.

.DEFAULT_GOAL := build

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/berth, static, with its version and commit (VERSION=, COMMIT= override)
	@hack/build

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
	@hack/deps test beds guest
	@hack/build
	@go run ./tests/suite --bats --beds guests

.PHONY: unit
unit: ## Run the Go tests; those that need root are skipped without it
	@go run ./tests/suite --go

.PHONY: integration
integration: ## Run tests/integration (as root); RUNTIME=/path for another runtime, TESTS="run.bats ..." for some files, FILTER=regexp for some tests, BEDS=systemd,... (or all) for other hosts
	@hack/deps test $(if $(BEDS),beds) $(if $(findstring guest,$(BEDS)),guest)
	@[ -n "$(RUNTIME)" ] || hack/build
	@go run ./tests/suite --bats $(if $(BEDS),--beds $(BEDS)) $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: reference
reference: ## Run tests/integration against Debian's runc; intended differences are in tests/integration/reference-differences
	@hack/deps test
	@go run ./tests/suite --reference $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: engines
engines: ## Run tests/engines: container engines with berth (as root); ENGINES=containerd for some engines, RUNTIME=, TESTS= and FILTER= as above
	@hack/deps test engines
	@[ -n "$(RUNTIME)" ] || hack/build
	@go run ./tests/suite --bats --beds $(or $(ENGINES),engines) $(if $(RUNTIME),--runtime $(RUNTIME)) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: reference-engines
reference-engines: ## Run tests/engines with Debian's runc; intended differences are in tests/engines/reference-differences
	@hack/deps test engines
	@go run ./tests/suite --reference --beds $(or $(ENGINES),engines) $(if $(FILTER),--filter "$(FILTER)") $(TESTS)

.PHONY: cri
cri: ## Run the Kubernetes project's tests for runtimes, critest, with containerd and berth (as root; downloads and builds critest); RUNTIME=/path for another runtime
	@hack/cri $(RUNTIME)

.PHONY: bench
bench: ## Compare with runc (and crun where it runs), as ratios (as root); BENCH_ROUNDS= and BENCH_LIMIT= change rounds and limits
	@hack/deps bench
	@hack/build
	@go build -o .cache/bench ./tests/bench && .cache/bench

.PHONY: lint
lint: ## Check style and known traps: golangci-lint, gofumpt, shellcheck
	@hack/deps lint
	@hack/lint

.PHONY: generate
generate: ## Write the generated files: docs/lifecycle.md, docs/man/berth.8, docs/stub.svg, seccomp/numbers.go
	@go test ./libcontainer/internal/setup -run TestLifecyclePage -update >/dev/null
	@go test ./cmd/runtime -run TestManualPage -update
	@go run ./internal/gen/syscalls
	@go run ./internal/gen/picture

.PHONY: generate-check
generate-check: ## Fail if a generated file is out of date
	@hack/generate-check
	@go test ./cmd/runtime -run TestManualPage

.PHONY: deps
deps: ## Install all Debian packages that the targets need
	@hack/deps build libseccomp demo test beds engines guest bench lint

.PHONY: clean
clean: ## Remove bin/ and .cache/
	@rm -rf bin .cache
