# Everything that is done to this project is done from here. README names `make demo` and `make test`.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PARTS := target/parts
AIRLIFT := target/x86_64-unknown-linux-gnu/release/airlift

.PHONY: help build demo demo-down test parts bench torture pictures fuzz fmt lint

help: ## Show what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

build: ## Build the packer with the installer inside (static)
	cargo build --release

demo: ## Build all, pack the example, install it with a private engine under target/demo (DEMO_PORT=18080)
	@examples/demo.sh up

demo-down: ## Stop the demo and clear it away
	@examples/demo.sh down

parts: ## Fetch the real engines, machines and tools that tests use
	@tests/parts/all.sh $(PARTS)

# Linking the programs that are shipped keeps one processor busy; the tests are compiled on the others meanwhile.
test: parts ## Run all tests, on real engines, fresh machines and a browser
	@command -v cargo-nextest >/dev/null || cargo install --locked --quiet cargo-nextest
	cargo build --release & release=$$!
	cargo nextest run --workspace --no-run || { kill $$release; exit 1; }
	wait $$release
	cargo nextest run --workspace --no-fail-fast

bench: build ## Measure, and write docs/performance.md
	@tests/bench/run.sh

torture: parts build ## Kill, cut off, break, load and take back installations, and write docs/reliability.md (TORTURE_MINUTES=25, TORTURE_PART=1, TORTURE_SEED, TORTURE_ONLY)
	@cargo test --package tests --test 60_torture --test 61_load --test 62_faults --test 62_faults_machine --no-fail-fast -- --ignored --nocapture --test-threads 1

pictures: parts build ## Draw the pictures of the guides anew, from real installations
	@cargo test --package tests --test 47_pictures -- --ignored --nocapture

fuzz: ## Try every reader with arbitrary bytes, ten minutes each (FUZZ_SECONDS=600; needs a nightly compiler)
	@tests/fuzz/run.sh

fmt: ## Format
	cargo fmt --all

lint: ## What .ci/run checks before the tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
